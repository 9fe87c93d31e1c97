// attacks: the runtime, by String.bytesFrom, which makes strings of bytes that are no UTF-8
// expect: result
// result: [true,"passed"]
import * as host from "host";
function handler() {
	const bad = String.bytesFrom("//79/A", "base64url");
	let end = "passed";
	try { host.text(bad); } catch { end = "caught"; }
	return [typeof bad === "string", end];
}
