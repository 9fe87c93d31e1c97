// Crypto: sign a message with HMAC
//
// The guest has a few modules of its own: crypto, io, console and require.

import { createHmac } from "crypto";

function handler({ key, message }) {
  const signature = createHmac("sha256", key).update(message).digest("hex");
  return { message, signature };
}
