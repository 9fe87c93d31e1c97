package parity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestExecutionStats is upstream's tests/execution_stats.rs. handle_event_cpu_time_is_none_without_feature is about
// a build that does not exist here: the library always has the feature.
func TestExecutionStats(t *testing.T) {
	const fast = `
		function handler(event) {
			event.handled = true;
			return event;
		}`
	const second, ms = time.Second, time.Millisecond

	statsOf := func(t *testing.T, loaded *hyperlight.LoadedJSSandbox) hyperlight.ExecutionStats {
		t.Helper()
		stats, ok := loaded.LastCallStats()
		require.True(t, ok)
		return stats
	}
	terminatedBy := func(t *testing.T, by string, monitors ...hyperlight.Monitor) {
		t.Helper()
		loaded := loadHandler(t, busy)
		isKilled(t, loaded, by, `{"runtime": 5000}`, monitors...)
		stats := statsOf(t, loaded)
		assert.Equal(t, by, stats.TerminatedBy)
		assert.Positive(t, stats.WallClock)
	}

	t.Run("last_call_stats_is_none_before_any_call", func(t *testing.T) {
		_, ok := loadHandler(t, fast).LastCallStats()
		assert.False(t, ok)
	})

	t.Run("handle_event_populates_wall_clock", func(t *testing.T) {
		loaded := loadHandler(t, fast)
		handle(t, loaded, "handler", `{"test": true}`)
		stats := statsOf(t, loaded)
		assert.Positive(t, stats.WallClock)
		assert.Empty(t, stats.TerminatedBy)
	})

	t.Run("stats_update_on_each_call", func(t *testing.T) {
		loaded := loadHandler(t, busy)
		handle(t, loaded, "handler", `{"runtime": 50}`)
		first := statsOf(t, loaded)
		handle(t, loaded, "handler", `{"runtime": 500}`)
		second := statsOf(t, loaded)
		assert.GreaterOrEqual(t, second.WallClock, 400*ms)
		assert.Greater(t, second.WallClock, first.WallClock)
	})

	t.Run("stats_available_even_when_handler_errors", func(t *testing.T) {
		loaded := loadHandler(t, fast)
		_, err := loaded.HandleEvent(t.Context(), "nonexistent", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)
		statsOf(t, loaded)
	})

	t.Run("handle_event_populates_cpu_time_when_feature_enabled", func(t *testing.T) {
		loaded := loadHandler(t, busy)
		handle(t, loaded, "handler", `{"runtime": 50}`)
		stats := statsOf(t, loaded)
		assert.True(t, stats.HasCPUTime)
		assert.Positive(t, stats.CPUTime)
	})

	t.Run("wall_clock_termination_sets_terminated_by", func(t *testing.T) {
		terminatedBy(t, "wall-clock", hyperlight.WallClock(50*ms))
	})

	t.Run("cpu_time_termination_sets_terminated_by", func(t *testing.T) {
		terminatedBy(t, "cpu-time", hyperlight.CPUTime(50*ms))
	})

	t.Run("monitor_completion_normal_has_no_terminated_by", func(t *testing.T) {
		loaded := loadHandler(t, fast)
		_, _, err := monitored(t, loaded, `{"test": true}`, hyperlight.WallClock(5*second))
		require.NoError(t, err)
		assert.Empty(t, statsOf(t, loaded).TerminatedBy)
	})

	t.Run("tuple_monitor_reports_correct_winner", func(t *testing.T) {
		terminatedBy(t, "cpu-time", hyperlight.WallClock(5*second), hyperlight.CPUTime(30*ms))
	})

	t.Run("tuple_monitor_wall_clock_wins_when_tighter", func(t *testing.T) {
		terminatedBy(t, "wall-clock", hyperlight.WallClock(50*ms), hyperlight.CPUTime(5*second))
	})
}
