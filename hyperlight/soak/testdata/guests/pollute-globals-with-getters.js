// attacks: names that the runtime looks up
// stains: exception
// expect: result
// result: [3,{"a":1},30]
import * as host from "host";
function handler() {
	for (const name of ["JSON", "Object", "Array", "Promise", "Error", "String", "handler", "host", "module", "exports"]) {
		Reflect.defineProperty(globalThis, name, { get() { throw name; }, configurable: true });
	}
	return [host.add(1, 2), host.echo({ a: 1 }), host.shared().length];
}
