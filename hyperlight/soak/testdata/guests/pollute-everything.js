// attacks: the runtime, by exchanging all methods of all built-in classes
// stains: exception
// expect: result
// result: {"a":[3,"text",{"b":[1,null]}]}
import * as host from "host";
const { ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
function handler() {
	const bad = () => { throw new Error("polluted"); };
	const names = ownKeys(globalThis);
	for (let i = 0; i < names.length; i++) {
		const its = globalThis[names[i]];
		const places = [its, its && its.prototype];
		for (let j = 0; j < 2; j++) {
			const place = places[j];
			if (place === null || (typeof place !== "object" && typeof place !== "function") || place === globalThis) continue;
			const keys = ownKeys(place);
			for (let k = 0; k < keys.length; k++) {
				const old = getOwnPropertyDescriptor(place, keys[k]);
				if (old.configurable && typeof old.value === "function") defineProperty(place, keys[k], { value: bad });
			}
		}
	}
	return { a: [host.add(1, 2), host.text("text"), host.echo({ b: [1, undefined] })] };
}
