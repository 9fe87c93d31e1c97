// attacks: the conversion of arguments, by values that have none
// expect: result
// result: "caught"
// calls: 0
// event: "const a = {}; a.a = a; host.echo(a)"
// event: "const a = []; a.push(a); host.echo(a)"
// event: "host.echo(1n)"
// event: "host.echo({ toJSON() { return this; } })"
// event: "const r = Proxy.revocable({}, {}); r.revoke(); host.echo(r.proxy)"
// event: "const r = Proxy.revocable([], {}); r.revoke(); host.echo(r.proxy)"
// event: "host.echo({ get a() { throw 1; } })"
// event: "host.echo({ toJSON() { throw 1; } })"
// event: "host.echo({ a: ['\\udc00'] })"
// event: "host.echo(new Proxy({ a: 1 }, { ownKeys() { return ['a', 'b', 'c']; }, getOwnPropertyDescriptor() { throw 1; } }))"
import * as host from "host";
function handler(event) {
	try { return eval(event); } catch { return "caught"; }
}
