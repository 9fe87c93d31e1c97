// attacks: the host, by a thousand panics in one call
// expect: result
// result: 1000
// calls: 1000
import * as host from "host";
function handler() {
	let caught = 0;
	for (let i = 0; i < 500; i++) {
		try { host.panics(); } catch { caught++; }
		try { host.fail(); } catch { caught++; }
	}
	return caught;
}
