package parity_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRuntime is upstream's tests/runtime.rs.
func TestRuntime(t *testing.T) {
	t.Run("js_date_time_now_is_correct", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				let now = Date.now();
				console.log("now is:", now,"\n");
				event.now = now;
				return event
			}`)
		var event struct{ Now int64 }
		require.NoError(t, json.Unmarshal([]byte(handle(t, loaded, "handler", `{ "now":0 }`)), &event))
		assert.WithinDuration(t, time.Now(), time.UnixMilli(event.Now), 2*time.Second)
	})

	t.Run("localtime_r_garbage_timezone_on_max_date", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler() {
				return JSON.stringify({
					valid: new Date(1735689600000).toString(),
					max: new Date(8640000000000000).toString(),
					min: new Date(-8640000000000000).toString(),
					overflow: new Date(8640000000000001).toString(),
					underflow: new Date(-8640000000000001).toString(),
				});
			}`)
		var text string
		require.NoError(t, json.Unmarshal([]byte(handle(t, loaded, "handler", `{}`)), &text))
		var dates map[string]string
		require.NoError(t, json.Unmarshal([]byte(text), &dates))
		assert.Equal(t, map[string]string{
			"valid":     "Wed Jan 01 2025 00:00:00 GMT+0000",
			"max":       "Sat Sep 13 275760 00:00:00 GMT+0000",
			"min":       "Tue Apr 20 -271821 00:00:00 GMT+0000",
			"overflow":  "Invalid Date",
			"underflow": "Invalid Date",
		}, dates)
	})

	t.Run("async_support", func(t *testing.T) {
		loaded := loadHandler(t, `
			async function do_something() {
				return 1234;
			}

			async function handler(event) {
				const result = await do_something();
				return result;
			}`)
		assert.Equal(t, "1234", handle(t, loaded, "handler", `{}`))
	})
}
