// attacks: the conversion of arguments, by getters that call host functions meanwhile
// expect: result
// event: "arguments"
// result: {"a":3,"b":{"c":"text"},"d":[7]}
// calls: 4
// event: "result"
// result: {"a":3,"b":"text"}
// calls: 2
// event: "changing"
// result: {"a":1,"b":2}
// event: "nested"
// result: 50
// calls: 51
import * as host from "host";
let n = 0;
const counting = { toJSON: () => ++n };
const nest = (depth) => ({ toJSON: () => (depth === 0 ? 0 : host.echo(nest(depth - 1)) + 1) });
const values = {
	arguments: () => host.echo({ get a() { return host.add(1, 2); }, b: { toJSON: () => ({ c: host.text("text") }) }, d: [{ toJSON: () => host.whole(7) }] }),
	result: () => ({ get a() { return host.add(1, 2); }, get b() { return host.text("text"); } }),
	changing: () => ({ a: counting, b: counting }),
	nested: () => host.echo(nest(50)),
};
function handler(event) { return values[event](); }
