// attacks: the conversion of arguments and results, by a toJSON for everything
// stains: result
// expect: result
// result: "forged"
import * as host from "host";
function handler() {
	for (const kind of [Object, Array, String, Number, Boolean, Uint8Array, Function]) kind.prototype.toJSON = () => "forged";
	return [host.echo({ a: 1 }), host.text("text")];
}
