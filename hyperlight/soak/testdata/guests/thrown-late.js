// attacks: the report of an exception, by promises that are rejected
// expect: exception
// event: "async"
// message: late
// event: "reject"
// message: late
// event: "thenable"
// message: late
// event: "null"
// thrown: null
// message: null
const fail = {
	async: async () => { await null; throw new Error("late"); },
	reject: () => Promise.reject(new Error("late")),
	thenable: async () => ({ then(_, reject) { reject(new Error("late")); } }),
	null: () => Promise.reject(null),
};
function handler(event) { return fail[event](); }
