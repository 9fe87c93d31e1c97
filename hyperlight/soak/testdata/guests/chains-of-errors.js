// attacks: the report of an exception, by causes without end
// expect: exception
// message: last
// event: "cause"
// event: "cycle"
// event: "aggregate"
function handler(event) {
	let e = new Error("first");
	for (let i = 0; i < 5_000; i++) e = event === "aggregate" ? new AggregateError([e], "last") : new Error("last", { cause: e });
	if (event === "cycle") e.cause = e;
	throw e;
}
