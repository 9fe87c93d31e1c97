// attacks: the handler's runtime, by keys with a meaning
// expect: result
// event: {"__proto__":{"a":1},"constructor":1,"toJSON":2,"then":3,"length":4}
// result: {"__proto__":{"a":1},"constructor":1,"toJSON":2,"then":3,"length":4}
// event: {"a":"\u0000\ud83d\ude00"}
// result: {"a":"\u0000😀"}
// event: [-0,1e-400]
// result: [0,0]
// event: 123456789012345678901234567890
// result: 1.2345678901234568e+29
function handler(event) { return event; }
