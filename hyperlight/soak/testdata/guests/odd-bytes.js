// attacks: host functions, by arrays of bytes that lie about themselves
// expect: result
// calls: 1
// event: "length"
// result: 4
// event: "toJSON"
// result: 4
// event: "constructor"
// result: 4
// event: "proxy of prototype"
// result: 4
// event: "part"
// result: 2
// event: "empty"
// result: 0
// event: "shared"
// result: 4
// event: "detached"
// expect: exception
// error: got object, not a Uint8Array
// calls: 0
// event: "shrunk"
// expect: exception
// error: got object, not a Uint8Array
// calls: 0
import * as host from "host";
const make = {
	detached: () => { const a = new Uint8Array(4); a.buffer.transfer(); return a; },
	length: () => new (class extends Uint8Array { get length() { return 2 ** 40; } get byteLength() { return 2 ** 40; } get byteOffset() { return -9; } })(4),
	toJSON: () => Object.assign(new Uint8Array(4), { toJSON: () => "text" }),
	constructor: () => Object.assign(new Uint8Array(4), { constructor: null }),
	"proxy of prototype": () => Object.setPrototypeOf(new Uint8Array(4), new Proxy({}, { get() { throw new Error("got"); } })),
	shrunk: () => { const b = new ArrayBuffer(4, { maxByteLength: 8 }); const a = new Uint8Array(b, 0, 4); b.resize(2); return a; },
	part: () => new Uint8Array(new ArrayBuffer(8), 3, 2),
	empty: () => new Uint8Array(0),
	shared: () => new Uint8Array(new SharedArrayBuffer(4)),
};
function handler(event) { return host.bytes(make[event]()); }
