// attacks: the reader of the result, by text that other languages refuse
// expect: result
// event: "\"\\ud800\""
// result: "\ud800"
// event: "'\\0'"
// result: "\u0000"
// event: "[undefined, () => 1, Symbol('a'), NaN, -0]"
// result: [null,null,null,null,0]
// event: "({ a: undefined, b: Symbol('b'), toJSON: 7 })"
// result: {"toJSON":7}
// event: "({ toJSON() { return { toJSON() { return 7; } }; } })"
// result: {}
// event: "Object(1n).constructor === BigInt"
// result: true
// event: "new Proxy([1, 2], {})"
// result: [1,2]
// event: "JSON.rawJSON ? 1 : 1"
// result: 1
// event: "({ ['__proto__']: 1, '': 2 })"
// result: {"__proto__":1,"":2}
function handler(event) { return eval(event); }
