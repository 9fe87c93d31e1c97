// attacks: recursion on the host, by arguments nested deeply
// expect: result
// event: [64, "array"]
// result: "came through"
// calls: 1
// event: [64, "object"]
// result: "came through"
// calls: 1
// event: [65, "array"]
// result: "JSON nesting depth exceeds maximum (64)"
// calls: 0
// event: [65, "object"]
// result: "JSON nesting depth exceeds maximum (64)"
// calls: 0
// event: [5000, "array"]
// result: "JSON nesting depth exceeds maximum (64)"
// calls: 0
// event: [64, "toJSON"]
// result: "came through"
// calls: 1
import * as host from "host";
const nest = { array: (a) => [a], object: (a) => ({ a }), toJSON: (a) => ({ toJSON: () => a }) };
function handler([depth, kind]) {
	let value = 1;
	for (let i = 0; i < depth; i++) value = nest[kind](value);
	try {
		host.echo(value);
		return "came through";
	} catch (e) {
		return /JSON nesting.*\)/.exec(e.message)?.[0] ?? e.message;
	}
}
