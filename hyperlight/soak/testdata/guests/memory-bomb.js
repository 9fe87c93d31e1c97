// attacks: memory, with what it can be filled
// expect: out of memory
// event: "arrays"
// event: "typed arrays"
// event: "strings"
// event: "Map"
// event: "Set"
// event: "closures"
// event: "objects"
// event: "symbols"
// event: "keys"
// event: "weak references"
// event: "caught"
// event: "promises"
// event: "generators"
// event: "buffers"
// event: "bigints"
// event: "functions"
// event: "errors"
const all = [];
const map = new Map();
const set = new Set();
const object = {};
const fill = {
	arrays: () => all.push(new Array(1000).fill(7)),
	"typed arrays": () => all.push(new Uint8Array(100_000)),
	strings: (i) => all.push(String.fromCharCode(i % 1000).repeat(10_000)),
	Map: (i) => map.set(i, [i]),
	Set: (i) => set.add("text" + i),
	closures: (i) => all.push(() => i),
	objects: (i) => all.push({ i, next: { i } }),
	symbols: (i) => all.push(Symbol.for("symbol" + i)),
	keys: (i) => { object["key" + i] = i; },
	"weak references": () => all.push(new WeakRef({}), {}),
	caught: () => { try { all.push(new Array(1000).fill(7)); } catch {} },
	promises: () => all.push(new Promise(() => {}).then(() => {})),
	generators: () => all.push((function* () { yield 1; })()),
	buffers: () => all.push(new ArrayBuffer(50_000, { maxByteLength: 100_000 })),
	bigints: (i) => all.push(7n ** BigInt(i % 1000 + 1000)),
	functions: (i) => all.push(new Function("return " + i)),
	errors: (i) => all.push(new Error("text" + i)),
};
function handler(event) { for (let i = 0; ; i++) fill[event](i); }
