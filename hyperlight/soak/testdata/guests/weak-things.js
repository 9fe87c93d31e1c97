// attacks: the collector, by weak references and finalizers that bring things back
// expect: result
// result: "done"
let saved = [];
const registry = new FinalizationRegistry((held) => { saved.push(held); for (;;) {} });
function handler() {
	const weak = new WeakMap();
	for (let i = 0; i < 2_000; i++) {
		const a = {}, b = { a };
		a.b = b;
		weak.set(a, new WeakRef(b));
		registry.register(a, weak);
	}
	return "done";
}
