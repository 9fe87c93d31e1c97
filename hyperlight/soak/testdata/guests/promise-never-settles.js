// attacks: a call that waits for what never comes
// expect: guest error
// error: WouldBlock
// event: "promise"
// event: "async"
// event: "thenable"
const waits = {
	promise: () => new Promise(() => {}),
	async: async () => { await new Promise(() => {}); },
	thenable: async () => ({ then() {} }),
};
function handler(event) { return waits[event](); }
