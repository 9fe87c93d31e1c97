// attacks: the native module crypto, by wrong and shrunk input
// expect: result
// result: ["TypeError","TypeError","TypeError","TypeError","TypeError","f7bc83f4"]
import * as crypto from "crypto";
function handler() {
	const hmac = () => crypto.createHmac("sha256", "key");
	return [
		() => crypto.createHmac("md5", "key"),
		() => hmac().update(7),
		() => hmac().update(null),
		() => crypto.createHmac("sha256", {}),
		() => crypto.createHmac(Symbol("sha256"), "key"),
		() => hmac().update("The quick brown fox jumps over the lazy dog").digest("hex").slice(0, 8),
	].map((f) => { try { return f(); } catch (e) { return e.name; } });
}
