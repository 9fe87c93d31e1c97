package parity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestTimeoutJS is timeout.test.js of js-host-api, upstream's binding for Node.js.
func TestTimeoutJS(t *testing.T) {
	const second, ms = time.Second, time.Millisecond
	wall, cpu := hyperlight.WallClock, hyperlight.CPUTime

	t.Run("Wall Clock Timeout", func(t *testing.T) {
		t.Run("should complete fast handler before timeout", func(t *testing.T) {
			completes(t, loadHandler(t, busy), `{"runtime":100}`, wall(second))
		})
		t.Run("should kill slow handler after timeout", func(t *testing.T) {
			elapsed := isKilled(t, loadHandler(t, busy), "wall-clock", `{"runtime":4000}`, wall(500*ms))
			assert.Less(t, elapsed, 2*second)
			assert.Greater(t, elapsed, 300*ms)
		})
		t.Run("should recover from poisoned state with restore", func(t *testing.T) {
			loaded := loadHandler(t, busy)
			snapshot := takeSnapshot(t, loaded)
			isKilled(t, loaded, "wall-clock", `{"runtime":4000}`, wall(500*ms))
			restore(t, loaded, snapshot)
			completes(t, loaded, `{"runtime":50}`, wall(second))
		})
	})

	t.Run("CPU Time Timeout", func(t *testing.T) {
		t.Run("should complete fast handler before CPU timeout", func(t *testing.T) {
			completes(t, loadHandler(t, busy), `{"runtime":50}`, cpu(500*ms))
		})
		t.Run("should kill CPU-intensive handler after CPU timeout", func(t *testing.T) {
			elapsed := isKilled(t, loadHandler(t, busy), "cpu-time", `{"runtime":3000}`, cpu(500*ms))
			assert.Less(t, elapsed, 2*second)
		})
	})

	t.Run("Combined Monitors (CPU + Wall Clock)", func(t *testing.T) {
		both := []hyperlight.Monitor{wall(5 * second), cpu(2 * second)}
		tight := []hyperlight.Monitor{wall(5 * second), cpu(500 * ms)}
		with := func(t *testing.T, opts ...hyperlight.CallOption) {
			t.Helper()
			loaded := loadHandler(t, busy)
			result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"runtime":50}`), opts...)
			require.NoError(t, err)
			assert.Contains(t, string(result), `"counter":`)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		}

		t.Run("should complete fast handler with both monitors", func(t *testing.T) {
			completes(t, loadHandler(t, busy), `{"runtime":50}`, both...)
		})
		t.Run("should kill CPU-intensive handler (CPU fires first)", func(t *testing.T) {
			elapsed := isKilled(t, loadHandler(t, busy), "cpu-time", `{"runtime":10000}`, tight...)
			assert.Less(t, elapsed, 3*second)
		})
		t.Run("should recover after combined monitor kill", func(t *testing.T) {
			loaded := loadHandler(t, busy)
			snapshot := takeSnapshot(t, loaded)
			isKilled(t, loaded, "cpu-time", `{"runtime":10000}`, tight...)
			restore(t, loaded, snapshot)
			completes(t, loaded, `{"runtime":50}`, both...)
		})
		t.Run("should call handler without monitors when no timeout is specified", func(t *testing.T) {
			with(t)
		})
		t.Run("should call handler with gc: false and no monitors", func(t *testing.T) {
			with(t, hyperlight.WithGC(false))
		})
		t.Run("should call handler with gc: true and no monitors", func(t *testing.T) {
			with(t, hyperlight.WithGC(true))
		})
		// The maximum of an hour is js-host-api's own. Here, as in Rust, there is none.
		t.Run("should throw INVALID_ARG for timeout exceeding maximum", func(t *testing.T) {
			with(t, hyperlight.WithMonitors(wall(4_000_000*ms)))
		})
		t.Run("should throw INVALID_ARG for zero wallClockTimeoutMs", func(t *testing.T) {
			_, _, err := monitored(t, loadHandler(t, busy), `{}`, wall(0))
			require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		})
		t.Run("should throw INVALID_ARG for zero cpuTimeoutMs", func(t *testing.T) {
			_, _, err := monitored(t, loadHandler(t, busy), `{}`, cpu(0))
			require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		})
		t.Run("should accept gc option", func(t *testing.T) {
			with(t, hyperlight.WithMonitors(both...), hyperlight.WithGC(false))
		})
		t.Run("should default gc to true when not specified", func(t *testing.T) {
			with(t, hyperlight.WithMonitors(wall(5*second)))
		})
	})

	t.Run("Interrupt Handle", func(t *testing.T) {
		const echo = `function handler(e) { return e; }`

		t.Run("should provide an interrupt handle", func(t *testing.T) {
			handle := interruptHandle(t, loadHandler(t, echo))
			assert.False(t, handle.Dropped())
		})
		t.Run("should kill a running handler via interruptHandle", func(t *testing.T) {
			loaded := loadHandler(t, busy)
			handle := interruptHandle(t, loaded)
			timer := time.AfterFunc(200*ms, func() { handle.Kill() })
			defer timer.Stop()
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"runtime":10000}`))
			cancelled(t, loaded, err, "interrupt")
		})
		t.Run("should reject empty handler name on callHandler", func(t *testing.T) {
			loaded := loadHandler(t, echo)
			_, err := loaded.HandleEvent(t.Context(), "", []byte(`{}`), hyperlight.WithMonitors(wall(second)))
			refused(t, err, hyperlight.ErrInvalidArgument, "Handler name must not be empty")
		})
	})
}
