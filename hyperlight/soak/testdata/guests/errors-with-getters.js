// attacks: upstream's report of an exception, by properties that throw
// expect: exception
// event: ["message", "throw"]
// error: Exception
// event: ["stack", "throw"]
// message: m
// event: ["name", "throw"]
// message: m
// event: ["message", "object"]
// error: Exception
// event: ["message", "symbol"]
// error: Exception
// event: ["cause", "throw"]
// message: m
// event: ["toString", "throw"]
// message: m
const values = { object: { toString() { throw new Error("toString"); } }, symbol: Symbol("a") };
function handler([key, what]) {
	const e = new Error("m");
	Object.defineProperty(e, key, { get() { if (what === "throw") throw new Error("getter"); return values[what]; } });
	throw e;
}
