// attacks: the module loader, by names that are not text
// expect: result
// result: ["TypeError","TypeError","7","ReferenceError","ReferenceError","ReferenceError"]
const names = [Symbol("a"), { toString() { throw new TypeError("t"); } }, { toString() { throw 7; } }, undefined, {}, 1n];
async function handler() {
	const found = [];
	for (const name of names) await import(name).then(() => found.push("found"), (e) => found.push(e.name ?? String(e)));
	return found;
}
