// attacks: the runtime, by removing all globals and all their methods
// stains: exception
// expect: result
// result: {"a":[3,"text",{"b":[1]}],"left":["print","console","require"]}
import * as host from "host";
const { ownKeys, deleteProperty } = Reflect;
const keep = ["NaN", "Infinity", "undefined"];
const all = globalThis;
function handler() {
	const names = ownKeys(all);
	for (let i = 0; i < names.length; i++) {
		const its = all[names[i]];
		const keys = its && its.prototype ? ownKeys(its.prototype) : [];
		for (let k = 0; k < keys.length; k++) deleteProperty(its.prototype, keys[k]);
		deleteProperty(all, names[i]);
	}
	const left = ownKeys(all), result = [];
	for (let i = 0, n = 0; i < left.length; i++) {
		if (left[i] !== keep[0] && left[i] !== keep[1] && left[i] !== keep[2] && typeof left[i] === "string") result[n++] = left[i];
	}
	return { a: [host.add(1, 2), host.text("text"), host.echo({ b: [1] })], left: result };
}
