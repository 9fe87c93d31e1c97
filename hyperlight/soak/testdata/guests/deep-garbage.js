// attacks: the destruction of what is nested deeply, and the collector
// expect: result
// result: "done"
// event: "array"
// event: "object"
// event: "closure"
// event: "cycle"
// event: "prototype"
const nest = {
	array: (a) => [a],
	object: (a) => ({ a }),
	closure: (a) => () => a,
	cycle: (a) => { const b = { a }; b.self = b; return b; },
	prototype: (a) => Object.create(a),
};
function handler(event) {
	let all = {};
	for (let i = 0; i < 10_000; i++) all = nest[event](all);
	all = null;
	return "done";
}
