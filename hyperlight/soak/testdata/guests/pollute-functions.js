// attacks: the runtime, by Function.prototype
// stains: result
// expect: result
// result: [3,"text"]
import * as host from "host";
async function handler() {
	Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error("called"); };
	Object.setPrototypeOf(Function.prototype, null);
	return [host.add(1, 2), await host.text("text")];
}
