package parity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestBuiltinCrypto is upstream's tests/builtin_crypto.rs.
func TestBuiltinCrypto(t *testing.T) {
	t.Run("crypto_create_hmac", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				var crypto = require('crypto');
				var key = "TULWi2fOzLr9GcJeArpS4o135bEGmFhdUjpBSxUeJxXtIlx6qh";
				var data = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJUZXN0U3ViamVjdCIsIm5hbWUiOiJUZXN0IFVzZXIiLCJpYXQiOjE3MTg4OTE5MTksIm5iZiI6MTcxODg5MTkxOSwiZXhwIjoxODc2NjU4MzQ2fQ";
				var hmac = crypto.createHmac('sha256', key).update(data);
				event.signature_b64_url = hmac.digest('base64url');
				event.signature_b64 = hmac.digest('base64');
				event.signature_hex = hmac.digest('hex');
				String.bytesFrom("SGVsbG8gV29ybGQhIQo=", "base64url");
				String.bytesFrom("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "base64url");
				String.bytesFrom("eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyLCJuYmYiOjE1MTYyMzkwMjIsImV4cCI6MTcxNjIzOTAyMn0=","base64url");
				String.bytesFrom("eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyLCJuYmYiOjE1MTYyMzkwMjIsImV4cCI6MTcxNjIzOTAyMn0","base64url");
				return event;
			}`)
		assert.Equal(t, `{"signature_b64_url":"uRMcKIrmGTb0LDN0IxDF0kyS8zy2E5RZwV_L66XGHg8",`+
			`"signature_b64":"uRMcKIrmGTb0LDN0IxDF0kyS8zy2E5RZwV/L66XGHg8=",`+
			`"signature_hex":"b9131c288ae61936f42c33742310c5d24c92f33cb6139459c15fcbeba5c61e0f"}`,
			handle(t, loaded, "handler", `{ "signature_b64_url": "", "signature_b64": "", "signature_hex": "" }`))
	})
}
