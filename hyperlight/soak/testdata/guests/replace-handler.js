// attacks: the next call, by another handler under the same name
// before: 1
// expect: result
// result: "first"
function handler() {
	if (globalThis.changed) return "first";
	globalThis.changed = true;
	handler = () => "changed";
	globalThis.handler = () => "global";
	return "changing";
}
