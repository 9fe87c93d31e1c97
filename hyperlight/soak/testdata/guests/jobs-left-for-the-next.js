// attacks: the next call, by a job of the last one that never ends
// before: 1
// expect: cancelled
let calls = 0;
function handler() {
	if (calls++ === 0) { queueMicrotask(function again() { queueMicrotask(again); }); return "left"; }
	return new Promise(() => {});
}
