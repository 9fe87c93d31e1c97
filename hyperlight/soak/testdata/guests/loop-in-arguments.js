// attacks: the conversion of a host function's arguments
// expect: cancelled
// calls: 0
// event: "toJSON"
// event: "getter"
// event: "proxy"
// event: "element"
import * as host from "host";
const loop = () => { for (;;) {} };
const values = {
	toJSON: () => ({ toJSON: loop }),
	getter: () => ({ get a() { loop(); } }),
	proxy: () => new Proxy({}, { ownKeys: loop }),
	element: () => Object.defineProperty([1], 0, { get: loop }),
};
function handler(event) { return host.echo(values[event]()); }
