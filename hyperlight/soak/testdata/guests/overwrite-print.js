// attacks: the host's log, by another print and another console
// expect: result
// result: ["TypeError","TypeError","TypeError","TypeError","TypeError"]
// prints: "printed\nlogged\n"
function handler() {
	const tried = [];
	for (const change of [
		() => { globalThis.print = () => {}; },
		() => { globalThis.console = {}; },
		() => { console.log = () => {}; },
		() => { delete globalThis.print; },
		() => { Object.defineProperty(console, "log", { value: () => {} }); },
	]) {
		try { change(); } catch (e) { tried.push(e.name); }
	}
	print("printed\n");
	console.log("logged");
	return tried;
}
