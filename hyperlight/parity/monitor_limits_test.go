package parity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestWallClock is the test module of upstream's src/sandbox/monitor/wall_clock.rs. Upstream looks at the monitor
// itself; here a call does.
func TestWallClock(t *testing.T) {
	t.Run("test_zero_duration_rejected", func(t *testing.T) {
		_, _, err := monitored(t, loadHandler(t, busy), `{"runtime": 1}`, hyperlight.WallClock(0))
		refused(t, err, hyperlight.ErrInvalidArgument, "timeout must be non-zero")
	})

	t.Run("test_valid_duration_accepted", func(t *testing.T) {
		_, _, err := monitored(t, loadHandler(t, busy), `{"runtime": 1}`, hyperlight.WallClock(100*time.Millisecond))
		require.NoError(t, err)
	})

	t.Run("test_get_monitor_returns_future", func(t *testing.T) {
		completes(t, loadHandler(t, busy), `{"runtime": 1}`, hyperlight.WallClock(time.Second))
	})

	// Each use has its own time: together these take longer than the limit.
	t.Run("test_get_monitor_reuse", func(t *testing.T) {
		loaded, monitor := loadHandler(t, busy), hyperlight.WallClock(time.Second)
		for range 3 {
			completes(t, loaded, `{"runtime": 400}`, monitor)
		}
	})
}

// TestCPUTime is the test module of upstream's src/sandbox/monitor/cpu_time.rs. Upstream's clock is private; what it
// measures is in the statistics. test_cpu_time_precision is for Windows.
func TestCPUTime(t *testing.T) {
	t.Run("test_thread_cpu_handle_for_current_thread", func(t *testing.T) {
		loaded := loadHandler(t, busy)
		handle(t, loaded, "handler", `{"runtime": 1}`)
		stats, _ := loaded.LastCallStats()
		assert.True(t, stats.HasCPUTime)
	})

	t.Run("test_thread_cpu_handle_elapsed", func(t *testing.T) {
		loaded := loadHandler(t, `function handler(loops) { let sum = 0; while (loops--) sum += loops; return sum; }`)
		var before time.Duration
		for _, loops := range []string{`1000`, `100000`, `1000000`} {
			handle(t, loaded, "handler", loops)
			stats, _ := loaded.LastCallStats()
			assert.Greater(t, stats.CPUTime, before)
			before = stats.CPUTime
		}
	})

	t.Run("test_zero_duration_rejected", func(t *testing.T) {
		_, _, err := monitored(t, loadHandler(t, busy), `{"runtime": 1}`, hyperlight.CPUTime(0))
		refused(t, err, hyperlight.ErrInvalidArgument, "cpu_timeout must be non-zero")
	})
}
