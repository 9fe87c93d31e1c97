// attacks: the report of an exception, by the functions that format it
// expect: exception
// message: m
// event: "throws"
// event: "value"
// event: "proxy"
function handler(event) {
	Error.prepareStackTrace = () => {
		if (event === "throws") throw new Error("prepared");
		return event === "value" ? { toString() { throw 1; } } : new Proxy({}, { get() { throw 2; } });
	};
	Error.stackTraceLimit = Infinity;
	throw new Error("m");
}
