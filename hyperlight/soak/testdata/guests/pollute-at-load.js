// attacks: later handlers and calls, by top-level code
// at: load
// expect: result
// result: [3,{"a":1}]
import * as host from "host";
Object.prototype.toJSON = undefined;
Array.prototype.push = Function.prototype.call = Promise.prototype.then = () => { throw new Error("polluted"); };
globalThis.JSON = null;
export function handler() { return [host.add(1, 2), host.echo({ a: 1 })]; }
