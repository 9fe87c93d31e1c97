// attacks: host functions, by arguments that are just right
// expect: result
// calls: 1
// event: "host.echo([1,,3])"
// result: [1,null,3]
// event: "host.echo([NaN, Infinity, -Infinity, -0])"
// result: [null,null,null,0]
// event: "host.echo([2 ** 53, -(2 ** 53), 2 ** 63, 1e308, 5e-324])"
// result: [9007199254740992,-9007199254740992,9223372036854776000,1e+308,5e-324]
// event: "host.echo([undefined, Symbol('a')])"
// result: [null,null]
// event: "host.echo(Object(7))"
// result: {}
// event: "host.echo(function f() {})"
// result: {}
// event: "host.echo({a: 1, __proto__: {b: 2}, [Symbol('c')]: 3})"
// result: {"a":1}
// event: "host.echo(JSON.parse('{\"__proto__\": {\"a\": 1}}'))"
// result: {}
// event: "host.echo('\\0\\u001b[31m\\uFFFD\\u{10FFFF}')"
// result: "\u0000\u001b[31m�􏿿"
// event: "host.echo({toJSON() { return {toJSON() { return 7; }}; }})"
// result: 7
// event: "host.echo(new Proxy([1, 2], {}))"
// result: {"0":1,"1":2}
// event: "host.echo(new Date(0))"
// result: "1970-01-01T00:00:00.000Z"
// event: "host.echo(new Map([[1, 2]]))"
// result: {}
// event: "host.echo({'': 1, '\\0': 2})"
// result: {"":2}
// event: "host.many(...Array(1000).fill('a'))"
// result: 1000
// event: "host.map({constructor: 1, toString: 2, ['__proto__']: 3})"
// result: 3
// event: "host.record({Name: 'a', Size: 255, Extra: {}})"
// result: {"Data":null,"Name":"a","Next":null,"Size":255}
// event: "host.add.call(null, 1, 2)"
// result: 3
// event: "host.whole(2 ** 63)"
// result: 9223372036854776000
import * as host from "host";
function handler(event) { return eval("(" + event + ")"); }
