// attacks: the job queue, which is never empty
// expect: cancelled
// event: "await"
// event: "then"
// event: "recursion"
// event: "thenable"
// event: "iterator"
const storms = {
	await: async () => { for (;;) await null; },
	then: () => new Promise(() => { const again = () => Promise.resolve().then(again); again(); }),
	recursion: () => new Promise(() => { queueMicrotask(function again() { queueMicrotask(again); }); }),
	thenable: async () => ({ then(resolve) { resolve(this); } }),
	iterator: async () => { for await (const _ of { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false }) }) }); },
};
function handler(event) { return storms[event](); }
