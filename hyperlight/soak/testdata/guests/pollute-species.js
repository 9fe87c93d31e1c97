// attacks: copies that the runtime makes, by Symbol.species and constructors
// stains: exception
// expect: result
// result: [[1,2],30,[7]]
import * as host from "host";
function handler() {
	for (const kind of [Array, Uint8Array, ArrayBuffer, Promise, RegExp]) {
		Object.defineProperty(kind, Symbol.species, { get() { throw new Error("species"); } });
		Object.defineProperty(kind.prototype, "constructor", { get() { throw new Error("constructor"); } });
	}
	return [host.echo([1, 2]), host.shared().byteLength, host.echo([7])];
}
