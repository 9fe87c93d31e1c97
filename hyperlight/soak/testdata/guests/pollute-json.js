// attacks: the result, by a JSON of its own
// stains: result
// expect: result
// result: {"a":3}
import * as host from "host";
function handler() {
	JSON.stringify = JSON.parse = () => "forged";
	globalThis.JSON = { stringify: () => "forged" };
	return { a: host.add(1, 2) };
}
