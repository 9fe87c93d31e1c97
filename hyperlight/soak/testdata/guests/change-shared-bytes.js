// attacks: bytes that the host keeps
// expect: result
// result: "what the host keeps for itself"
// calls: 2
import * as host from "host";
function handler() {
	host.shared().fill(0);
	return String.fromCharCode(...host.shared());
}
