// attacks: time, in the engine's own loops
// expect: cancelled
// event: "indexOf"
// event: "includes"
// event: "lastIndexOf"
// event: "array-like"
// event: "bigint"
// event: "reverse"
// event: "every"
const work = {
	indexOf: () => new Array(2 ** 32 - 1).indexOf(1),
	includes: () => new Array(2 ** 32 - 1).includes(1),
	lastIndexOf: () => new Array(2 ** 32 - 1).lastIndexOf(1),
	"array-like": () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1),
	bigint: () => { let n = 3n ** 200000n; for (;;) n = (n * n) % (7n ** 200000n); },
	reverse: () => Array.prototype.reverse.call({ length: 2 ** 53 - 1 }),
	every: () => Array.prototype.every.call({ length: 2 ** 53 - 1 }, Boolean),
};
function handler(event) { return work[event](); }
