// attacks: modules, by writing to what they export
// expect: result
// result: [true,true,true,"TypeError","TypeError",3]
import * as host from "host";
import * as io from "io";
export function handler() {
	const result = [host, io].map((m) => m[Symbol.toStringTag] === "Module");
	result.push(Reflect.set(host, "add", () => 7) === false);
	for (const change of [() => { host.add = 1; }, () => { delete io.print; }]) {
		try { change(); } catch (e) { result.push(e.name); }
	}
	result.push(host.add(1, 2));
	return result;
}
