// attacks: arrays that the runtime fills, by setters on Array.prototype
// stains: result
// expect: result
// result: [[],4]
import * as host from "host";
function handler() {
	let taken = 0;
	for (let i = 0; i < 10; i++) {
		Object.defineProperty(Array.prototype, i, { set() { taken++; }, get() { return "forged"; }, configurable: true });
	}
	const result = host.echo(JSON.parse("[1,2,[3]]"));
	const seen = taken;
	for (let i = 0; i < 10; i++) delete Array.prototype[i];
	Array.prototype.stain = 1;
	return [result, seen];
}
