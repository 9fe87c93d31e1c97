// attacks: time, by waiting for a thread that does not exist
// expect: result
// result: "ReferenceError"
function handler() {
	try { return Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0); } catch (e) { return e.name; }
}
