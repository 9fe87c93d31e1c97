// attacks: the host's memory, by a blob that is named 300 times and sent back each time
// expect: exception
// error: the result needs 30
// calls: 1
import * as host from "host";
function handler() {
	const blob = new Uint8Array(10_000);
	return host.echo([blob, ...Array(300).fill({ __bin__: 0 })]).length;
}
