// attacks: time, in functions that the engine calls
// expect: cancelled
// event: "sort"
// event: "valueOf"
// event: "toString"
// event: "toPrimitive"
// event: "template"
// event: "iterator"
// event: "reviver"
// event: "replacer"
// event: "replace"
// event: "generator"
// event: "hasInstance"
// event: "species"
// event: "spreadable"
// event: "toStringTag"
// event: "getter of an argument"
// event: "mapped"
const loop = () => { for (;;) {} };
const calls = {
	sort: () => [2, 1].sort(loop),
	valueOf: () => +{ valueOf: loop },
	toString: () => `${{ toString: loop }}`,
	toPrimitive: () => ({ [Symbol.toPrimitive]: loop }) + "",
	template: () => loop`text`,
	iterator: () => { for (const _ of { [Symbol.iterator]: () => ({ next: () => ({ done: false }) }) }); },
	reviver: () => JSON.parse("[1]", loop),
	replacer: () => JSON.stringify([1], loop),
	replace: () => "a".replace(/a/, loop),
	generator: () => { for (const _ of (function* () { for (;;) yield; })()); },
	hasInstance: () => 1 instanceof { [Symbol.hasInstance]: loop },
	species: () => { const a = [1]; a.constructor = { get [Symbol.species]() { loop(); } }; return a.map(String); },
	spreadable: () => [].concat({ get [Symbol.isConcatSpreadable]() { loop(); } }),
	toStringTag: () => Object.prototype.toString.call({ get [Symbol.toStringTag]() { loop(); } }),
	"getter of an argument": () => new RegExp({ get [Symbol.match]() { loop(); } }),
	mapped: () => Array.from([1], loop),
};
function handler(event) { return calls[event](); }
