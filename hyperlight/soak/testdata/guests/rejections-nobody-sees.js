// attacks: the runtime, by promises whose rejection nobody handles
// expect: result
// result: "done"
async function handler() {
	for (let i = 0; i < 1000; i++) Promise.reject(new Error("unseen"));
	await null;
	return "done";
}
