// attacks: the native module crypto, by bytes that are gone
// expect: guest aborted
import * as crypto from "crypto";
function handler() {
	const bytes = new Uint8Array(16);
	bytes.buffer.transfer();
	return crypto.createHmac("sha256", bytes).update(bytes).digest("hex");
}
