// attacks: bytes from the host, by another Uint8Array
// stains: result
// expect: result
// result: [4,true]
// calls: 2
import * as host from "host";
const real = new Uint8Array(4);
function handler() {
	globalThis.Uint8Array = function Forged() { return { length: 1, byteLength: 2 ** 53 }; };
	let shared;
	try { shared = host.shared(); } catch {}
	return [host.bytes(real), typeof shared !== "string"];
}
