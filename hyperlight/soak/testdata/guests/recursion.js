// attacks: the stack, which nothing checks: it takes memory until there is none
// expect: out of memory
// event: "function"
// event: "toString"
// event: "proxy"
// event: "getter"
// event: "sort"
// event: "toJSON"
// event: "replace"
// event: "bound"
// event: "apply"
// event: "constructor"
// event: "iterator"
// event: "eval"
// event: "caught"
// event: "reduce"
// event: "regexp"
const self = { function: () => self.function() + 1 };
self.toString = () => `${self}` + 1;
const proxy = new Proxy({}, { get: (_, key) => proxy[key] + 1 });
const getter = { get a() { return this.a + 1; } };
const sort = () => [2, 1].sort(() => sort()).length;
const json = { toJSON() { return JSON.stringify(json); } };
const replace = () => "a".replace("a", replace);
let bound = () => bound() + 1;
const apply = () => Reflect.apply(apply, null, []) + 1;
class Nested { constructor() { this.inner = new Nested(); } }
const iterator = { [Symbol.iterator]: () => [...iterator] };
const ways = {
	function: self.function,
	toString: () => self.toString(),
	proxy: () => proxy.a,
	getter: () => getter.a,
	sort,
	toJSON: () => JSON.stringify(json),
	replace,
	bound: () => { const f = bound.bind(null); bound = () => f() + bound(); return bound(); },
	apply,
	constructor: () => new Nested(),
	iterator: () => [...iterator],
	eval: function f() { return eval("(" + f + ")()") + 1; },
	caught: function f() { try { return f() + 1; } catch { return f(); } },
	reduce: () => { const f = () => [1, 2].reduce(f) + 1; return f(); },
	regexp: () => { const f = () => "a".replace(/a/, f); return f(); },
};
function handler(event) { return ways[event](); }
