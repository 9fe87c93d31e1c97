// attacks: the next call, by a finalizer that loops
// before: null
// expect: cancelled
const registry = new FinalizationRegistry(() => { for (;;) {} });
let calls = 0;
async function handler() {
	if (calls++ === 0) { registry.register({}, 1); return "left"; }
	await null;
	return "done";
}
