// attacks: the place of bytes in arguments and results, by objects that look like upstream's placeholders
// expect: result
// event: "host.echo({ __bin__: 0 })"
// result: {"__bin__":0}
// event: "host.raw({ __bin__: 0 })"
// result: [{"__bin__":0}]
// event: "host.raw([{ __bin__: -1 }, { __bin__: 1.5 }, { __bin__: '0' }, { __bin__: 0, a: 1 }, { __bin__: null }])"
// result: [[{"__bin__":-1},{"__bin__":1.5},{"__bin__":"0"},{"__bin__":0,"a":1},{"__bin__":null}]]
// event: "host.echo([new Uint8Array([7]), { __bin__: -1 }, { __bin__: 1.5 }, { __bin__: '0' }, { __bin__: 0, a: 1 }])"
// result: [{"0":7},{"__bin__":-1},{"__bin__":1.5},{"__bin__":"0"},{"__bin__":0,"a":1}]
// event: "host.echo([new Uint8Array([7]), { __bin__: 0 }, { a: { __bin__: 0 } }])"
// result: [{"0":7},{"0":7},{"a":{"0":7}}]
// event: "host.raw(new Uint8Array([7]), { __bin__: 0 })"
// result: [{"0":7},{"0":7}]
// event: "host.echo({ __bin__: new Uint8Array([7]) })"
// result: {"__bin__":{"0":7}}
// event: "host.bytes({ __bin__: new Uint8Array([7]) }) ?? 1"
// result: "caught"
// event: "host.raw(new Uint8Array([7]), { __bin__: 1 })"
// result: "caught"
// event: "host.raw(new Uint8Array([7]), { __bin__: 2 ** 53 })"
// result: "caught"
// event: "host.echo([new Uint8Array([7]), { __bin__: 1 }])"
// result: [{"0":7},{"__bin__":1}]
// event: "host.echo([new Uint8Array([7]), { __bin__: 2 ** 40 }])"
// result: [{"0":7},{"__bin__":1099511627776}]
// event: "host.echo([new Uint8Array([7]), { __bin__: { __bin__: 0 } }])"
// result: [{"0":7},{"__bin__":{"0":7}}]
// event: "host.record({ Name: 'a', Data: { __bin__: 0 }, Next: { Data: new Uint8Array([7]) } }).Next.Data[0]"
// result: 7
import * as host from "host";
function handler(event) {
	try { return eval("(" + event + ")"); } catch { return "caught"; }
}
