// attacks: the runtime, by Object.prototype
// stains: result
// expect: result
// result: [{"b":{}},3]
// calls: 2
import * as host from "host";
function handler() {
	Object.prototype.a = "polluted";
	Object.prototype.__bin__ = 0;
	Object.defineProperty(Object.prototype, "c", { set() {}, get() { return "got"; } });
	Object.prototype.value = Object.prototype.get = Object.prototype.writable = undefined;
	delete Object.prototype.get;
	return [host.echo({ b: { c: [1] } }), host.add(1, 2)];
}
