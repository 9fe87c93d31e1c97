// attacks: memory, by an exception that does not fit into the output buffer, of which upstream's report has copies
// expect: out of memory
// event: "message"
// event: "stack"
// event: "thrown"
function handler(event) {
	const text = "x".repeat(1_200_000);
	if (event === "thrown") throw text;
	const e = new Error("m");
	e[event] = text;
	throw e;
}
