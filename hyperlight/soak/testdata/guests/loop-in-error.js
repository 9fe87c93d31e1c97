// attacks: upstream's report of an exception, which reads message and stack
// expect: cancelled
// event: "message"
// event: "stack"
function handler(event) {
	const error = new Error("m");
	Object.defineProperty(error, event, { get() { for (;;) {} } });
	throw error;
}
