// attacks: the job queue, by a chain of promises
// expect: result
// result: 5000
async function handler() {
	let p = Promise.resolve(0);
	for (let i = 0; i < 5_000; i++) p = p.then((n) => n + 1);
	return p;
}
