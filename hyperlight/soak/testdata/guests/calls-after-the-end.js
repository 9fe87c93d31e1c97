// attacks: the host, by a job that is left when the handler has returned
// expect: result
// result: "returned"
// calls: 0
import * as host from "host";
function handler() {
	(async () => { for (;;) { await null; host.nothing(); } })();
	return "returned";
}
