// attacks: the conversion of the result, which runs after the handler
// expect: cancelled
// event: "getter"
// event: "toJSON"
// event: "ownKeys"
// event: "then"
// event: "length"
const loop = () => { for (;;) {} };
const results = {
	getter: () => ({ get a() { loop(); } }),
	toJSON: () => ({ toJSON: loop }),
	ownKeys: () => new Proxy({}, { ownKeys: loop }),
	then: () => ({ then: loop }),
	length: () => new Proxy([], { get: loop }),
};
async function later(value) { return value; }
function handler(event) { return event === "then" ? later(results.then()) : results[event](); }
