// attacks: the reader of the result, by values that have no JSON
// expect: no value
// event: "undefined"
// event: "() => 1"
// event: "Symbol('a')"
// event: "({ toJSON() {} })"
// event: "Promise.resolve()"
// event: "({ toJSON: () => Symbol('a') })"
function handler(event) { return eval(event); }
