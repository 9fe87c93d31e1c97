package parity_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// busy keeps the processor busy for as many milliseconds as the event says.
const busy = `
	function handler(event) {
		const startTime = Date.now();
		const runtime = event.runtime || 100;

		let counter = 0;
		while (Date.now() - startTime < runtime) {
			counter++;
		}

		event.counter = counter;
		event.actualRuntime = Date.now() - startTime;
		return event;
	}`

// monitored runs "handler" with monitors, and tells how long it took.
func monitored(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string, monitors ...hyperlight.Monitor) (string, time.Duration, error) {
	t.Helper()
	began := time.Now()
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte(event), hyperlight.WithMonitors(monitors...))
	return string(result), time.Since(began), err
}

// completes asserts that a monitored call ends by itself.
func completes(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string, monitors ...hyperlight.Monitor) {
	t.Helper()
	result, _, err := monitored(t, loaded, event, monitors...)
	require.NoError(t, err)
	assert.Contains(t, result, "counter")
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// isKilled asserts that a monitored call was stopped by the monitor of this name, and tells after how long.
func isKilled(t *testing.T, loaded *hyperlight.LoadedJSSandbox, by, event string, monitors ...hyperlight.Monitor) time.Duration {
	t.Helper()
	_, elapsed, err := monitored(t, loaded, event, monitors...)
	cancelled(t, loaded, err, by)
	return elapsed
}

// cancelled asserts that a call was stopped.
func cancelled(t *testing.T, loaded *hyperlight.LoadedJSSandbox, err error, by string) {
	t.Helper()
	refused(t, err, hyperlight.ErrCancelled, "Execution was cancelled by the host.")
	assert.Equal(t, by, asError(t, err).Monitor)
	assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
}

// TestMonitors is upstream's tests/monitors.rs.
func TestMonitors(t *testing.T) {
	const second, ms = time.Second, time.Millisecond
	wall, cpu := hyperlight.WallClock, hyperlight.CPUTime

	t.Run("wall_clock_monitor_completes_fast_handler", func(t *testing.T) {
		completes(t, loadHandler(t, busy), `{"runtime": 100}`, wall(5*second))
	})

	t.Run("wall_clock_monitor_kills_slow_handler", func(t *testing.T) {
		elapsed := isKilled(t, loadHandler(t, busy), "wall-clock", `{"runtime": 5000}`, wall(500*ms))
		assert.Less(t, elapsed, 2*second)
		assert.GreaterOrEqual(t, elapsed, 400*ms)
	})

	t.Run("wall_clock_monitor_sandbox_recovers_with_restore", func(t *testing.T) {
		loaded := loadHandler(t, busy)
		snapshot := takeSnapshot(t, loaded)
		isKilled(t, loaded, "wall-clock", `{"runtime": 5000}`, wall(300*ms))
		restore(t, loaded, snapshot)
		completes(t, loaded, `{"runtime": 50}`, wall(5*second))
	})

	t.Run("cpu_time_monitor_completes_fast_handler", func(t *testing.T) {
		completes(t, loadHandler(t, busy), `{"runtime": 100}`, cpu(2*second))
	})

	t.Run("cpu_time_monitor_kills_cpu_intensive_handler", func(t *testing.T) {
		elapsed := isKilled(t, loadHandler(t, busy), "cpu-time", `{"runtime": 5000}`, cpu(500*ms))
		assert.Less(t, elapsed, 5*second)
	})

	t.Run("cpu_time_monitor_sandbox_recovers_with_restore", func(t *testing.T) {
		loaded := loadHandler(t, busy)
		snapshot := takeSnapshot(t, loaded)
		isKilled(t, loaded, "cpu-time", `{"runtime": 5000}`, cpu(300*ms))
		restore(t, loaded, snapshot)
		completes(t, loaded, `{"runtime": 50}`, cpu(5*second))
	})

	t.Run("tuple_monitor_kills_cpu_intensive_handler", func(t *testing.T) {
		elapsed := isKilled(t, loadHandler(t, busy), "cpu-time", `{"runtime": 10000}`, cpu(500*ms), wall(5*second))
		assert.Less(t, elapsed, 3*second)
	})

	t.Run("tuple_monitor_completes_fast_handler", func(t *testing.T) {
		completes(t, loadHandler(t, busy), `{"runtime": 100}`, cpu(2*second), wall(5*second))
	})

	t.Run("tuple_monitor_sandbox_recovers_with_restore", func(t *testing.T) {
		loaded := loadHandler(t, busy)
		snapshot := takeSnapshot(t, loaded)
		isKilled(t, loaded, "cpu-time", `{"runtime": 10000}`, cpu(300*ms), wall(3*second))
		restore(t, loaded, snapshot)
		completes(t, loaded, `{"runtime": 50}`, cpu(5*second), wall(10*second))
	})

	// Upstream's test has a monitor of its own, which always fails.
	t.Run("tuple_with_failing_monitor_is_fail_closed", func(t *testing.T) {
		failsClosed(t, busy, `{"runtime": 50}`, wall(5*second))
	})

	t.Run("monitor_reuse_across_calls", func(t *testing.T) {
		loaded, monitor := loadHandler(t, busy), wall(5*second)
		completes(t, loaded, `{"runtime": 50}`, monitor)
		completes(t, loaded, `{"runtime": 50}`, monitor)
	})

	t.Run("single_element_tuple_monitor", func(t *testing.T) {
		elapsed := isKilled(t, loadHandler(t, busy), "wall-clock", `{"runtime": 5000}`,
			[]hyperlight.Monitor{wall(500 * ms)}...)
		assert.Less(t, elapsed, 2*second)
	})
}

// failsClosed asserts that a handler does not run if one of its monitors fails: because a trigger has
// fired before, and, in a process where upstream's threads for monitors cannot be started, because of that. The number
// that they are refused for is the shim's limit: upstream would panic over it.
func failsClosed(t *testing.T, source, event string, others ...hyperlight.Monitor) {
	t.Helper()
	const variable, tooMuch = "HYPERLIGHT_MONITOR_THREADS", "18446744073709551615"
	loaded := loadHandler(t, source)
	trigger, err := hyperlight.NewTrigger("failing-monitor")
	require.NoError(t, err)
	trigger.Fire()
	_, _, err = monitored(t, loaded, event, append(others, trigger)...)
	if os.Getenv(variable) == tooMuch {
		refused(t, err, hyperlight.ErrMonitorFailedToStart,
			"Monitor runtime is unavailable: "+variable+" is "+tooMuch+", more than 1024")
	} else {
		refused(t, err, hyperlight.ErrCancelled,
			"Execution monitor failed to start: the trigger 'failing-monitor' has fired")
		child := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
		child.Env = append(os.Environ(), variable+"="+tooMuch)
		output, err := child.CombinedOutput()
		require.NoError(t, err, string(output))
		require.Contains(t, string(output), "--- PASS: "+t.Name())
	}
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	_, ran := loaded.LastCallStats()
	assert.False(t, ran)
}
