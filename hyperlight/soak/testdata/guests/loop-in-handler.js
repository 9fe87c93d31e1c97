// attacks: time, by loops that exceptions do not leave
// expect: cancelled
// event: "for"
// event: "catch"
// event: "finally"
// event: "eval"
// event: "Function"
// event: "static block"
// event: "clock"
const loops = {
	for: () => { for (;;) {} },
	catch: () => { for (;;) try { for (;;) {} } catch {} },
	finally: () => { try { return 1; } finally { for (;;) {} } },
	eval: () => eval("for (;;) {}"),
	Function: () => new Function("for (;;) {}")(),
	"static block": () => class { static { for (;;) {} } },
	clock: () => { while (Date.now() < Infinity); },
};
function handler(event) { return loops[event](); }
