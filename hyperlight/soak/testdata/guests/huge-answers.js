// attacks: the input buffer, by having the host answer with more than it holds
// expect: result
// result: "refused"
import * as host from "host";
function handler() {
	try { return host.echo("\u2028".repeat(200_000)).length; } catch (e) { return /needs \d+ bytes/.test(e.message) ? "refused" : e.message; }
}
