package parity_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBuiltinModules is upstream's tests/builtin_modules.rs.
func TestBuiltinModules(t *testing.T) {
	t.Run("modules_exist_and_contains_expected_exports", func(t *testing.T) {
		loaded := loadHandler(t, `
			import * as crypto from "crypto";
			import * as console from "console";
			import * as io from "io";
			import * as require from "require";

			function handler(event) {
				return {
					crypto: Object.keys(crypto),
					console: Object.keys(console),
					io: Object.keys(io),
					require: Object.keys(require),
				};
			}`)
		var exports map[string][]string
		require.NoError(t, json.Unmarshal([]byte(handle(t, loaded, "handler", `{}`)), &exports))
		require.Len(t, exports, 4)
		assert.ElementsMatch(t, []string{"Hmac", "createHmac"}, exports["crypto"])
		assert.ElementsMatch(t, []string{"log"}, exports["console"])
		assert.ElementsMatch(t, []string{"print", "flush"}, exports["io"])
		assert.ElementsMatch(t, []string{"default", "require"}, exports["require"])
	})
}
