// attacks: the runtime's way to wait, by Promise.prototype
// stains: result
// expect: result
// result: 3
import * as host from "host";
async function handler() {
	Promise.prototype.then = Promise.prototype.catch = Promise.prototype.finally = () => { throw new Error("then"); };
	Object.defineProperty(Promise.prototype, "constructor", { get() { throw new Error("constructor"); } });
	Promise.resolve = Promise.reject = null;
	return host.add(await 1, 2);
}
