// attacks: the look-up of properties, which follows the chain
// expect: result
// result: "undefined"
function handler() {
	let o = {};
	for (let i = 0; i < 10_000; i++) o = Object.create(o);
	return typeof o.missing;
}
