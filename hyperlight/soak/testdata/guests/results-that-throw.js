// attacks: the conversion of the result, by values that throw meanwhile
// expect: exception
// event: "1n"
// message: BigInt are forbidden in JSON.stringify
// event: "({ get a() { throw new Error('getter'); } })"
// message: getter
// event: "({ toJSON() { throw new Error('toJSON'); } })"
// message: toJSON
// event: "const a = []; a[0] = a; a"
// message: circular reference
// event: "const r = Proxy.revocable({}, {}); r.revoke(); r.proxy"
// message: revoked proxy
function handler(event) { return eval(event); }
