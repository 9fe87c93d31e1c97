package parity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestBuiltinGlobals is upstream's tests/builtin_globals.rs.
func TestBuiltinGlobals(t *testing.T) {
	t.Run("builtin_globals_should_be_defined", func(t *testing.T) {
		loaded := loadHandler(t, `
			function assert(condition, message) {
				if (!condition) {
					throw new Error(message);
				}
			}

			function handler(event) {
				assert(typeof console.log === "function", "console.log should be defined");
				assert(typeof print === "function", "print should be defined");
				assert(typeof require === "function", "require should be defined");
				assert(typeof String.bytesFrom === "function", "String.bytesFrom should be defined");

				return 0;
			}`)
		assert.Equal(t, "0", handle(t, loaded, "handler", `{}`))
	})
}
