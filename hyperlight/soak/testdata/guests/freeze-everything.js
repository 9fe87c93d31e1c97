// attacks: the runtime, by freezing what it might write to
// stains: result
// expect: result
// result: [3,[1,{"a":2}],4]
// event: "freeze"
// event: "seal"
// event: "preventExtensions"
import * as host from "host";
function handler(event) {
	for (const name of Reflect.ownKeys(globalThis)) {
		const its = globalThis[name];
		if (its && its !== globalThis && its.prototype && its !== Uint8Array) Object[event](its.prototype);
		if (its && its !== globalThis && typeof its === "object") Object[event](its);
	}
	Object[event](globalThis);
	return [host.add(1, 2), host.echo([1, { a: 2 }]), host.bytes(new Uint8Array(4))];
}
