package hyperlight_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// burns takes its time, and may throw then. Date.now() leaves parts of milliseconds out: only past the end is all of the
// time over.
const burns = `function handler(event) {
	const end = Date.now() + event.ms;
	while (Date.now() <= end) {}
	if (event.throw) throw new Error("thrown");
	return 1;
}`

func TestStatsOfEachCall(t *testing.T) {
	loaded := loadHandler(t, burns)
	_, ok := loaded.LastCallStats()
	assert.False(t, ok)

	handle := func(name, event string) (hyperlight.ExecutionStats, error) {
		stats := hyperlight.ExecutionStats{TerminatedBy: "left over", PrintDropped: 7}
		_, err := loaded.HandleEvent(t.Context(), name, []byte(event), hyperlight.WithStats(&stats))
		return stats, err
	}
	last := func() hyperlight.ExecutionStats {
		stats, ok := loaded.LastCallStats()
		assert.True(t, ok)
		return stats
	}

	stats, err := handle("handler", `{"ms":20}`)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, stats.WallClock, 20*time.Millisecond)
	assert.True(t, stats.HasCPUTime)
	assert.Positive(t, stats.CPUTime)
	assert.LessOrEqual(t, stats.CPUTime, stats.WallClock+10*time.Millisecond)
	assert.Empty(t, stats.TerminatedBy)
	assert.Zero(t, stats.PrintDropped)
	assert.Equal(t, stats, last())

	stats, err = handle("handler", `{"ms":1,"throw":true}`)
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.GreaterOrEqual(t, stats.WallClock, time.Millisecond)
	assert.Equal(t, stats, last())

	// These never enter the guest.
	before := last()
	for _, test := range []struct {
		name, event string
		sentinel    error
	}{
		{"handler", `{`, hyperlight.ErrInvalidJSON},
		{"", `{}`, hyperlight.ErrInvalidArgument},
	} {
		stats, err = handle(test.name, test.event)
		require.ErrorIs(t, err, test.sentinel)
		assert.Zero(t, stats)
		assert.Equal(t, before, last())
	}
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithStats(nil))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)

	loaded = reload(t, loaded, counter)
	_, ok = loaded.LastCallStats()
	assert.False(t, ok, "they belong to one load")
	call(t, loaded, `{}`)
	require.NoError(t, loaded.Close())
	_, ok = loaded.LastCallStats()
	assert.False(t, ok)
	_, ok = (&hyperlight.LoadedJSSandbox{}).LastCallStats()
	assert.False(t, ok)
}

func TestStatsWhileACallRuns(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, prints, hyperlight.WithPrint(gate))
	finish := func(running <-chan outcome) {
		t.Helper()
		gate.proceed <- struct{}{}
		require.NoError(t, (<-running).err)
	}
	running := start(t.Context(), loaded)
	<-gate.arrived
	_, ok := loaded.LastCallStats()
	assert.False(t, ok, "the first call has not ended")
	finish(running)
	first, ok := loaded.LastCallStats()
	assert.True(t, ok)
	running = start(t.Context(), loaded)
	<-gate.arrived
	stats, ok := loaded.LastCallStats()
	assert.True(t, ok)
	assert.Equal(t, first, stats, "those of the call before")
	finish(running)
}

// Statistics are filled although the sandbox was closed while the call ran.
func TestStatsOfACallOfAClosedSandbox(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, prints, hyperlight.WithPrint(gate))
	var stats hyperlight.ExecutionStats
	done := make(chan error)
	go func() {
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithStats(&stats))
		done <- err
	}()
	<-gate.arrived
	require.NoError(t, loaded.Close())
	_, ok := loaded.LastCallStats()
	assert.False(t, ok)
	gate.proceed <- struct{}{}
	require.ErrorIs(t, <-done, hyperlight.ErrClosed)
	assert.Positive(t, stats.WallClock)
	assert.Empty(t, stats.TerminatedBy)
}

func TestStatsCountDroppedOutput(t *testing.T) {
	var printed strings.Builder
	loaded := loadHandler(t, `function handler(event) { print("x".repeat(event)); return 1; }`,
		hyperlight.WithPrint(&printed), hyperlight.WithPrintLimit(10))
	for _, test := range []struct {
		event   string
		dropped int
	}{{`15`, 5}, {`10`, 0}, {`12`, 2}} {
		var stats hyperlight.ExecutionStats
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(test.event), hyperlight.WithStats(&stats))
		require.NoError(t, err)
		assert.Equal(t, test.dropped, stats.PrintDropped)
		last, _ := loaded.LastCallStats()
		assert.Equal(t, stats, last)
	}
}

func TestStatsOfRefusedOptions(t *testing.T) {
	stats := hyperlight.ExecutionStats{PrintDropped: 1}
	_, err := new(hyperlight.LoadedJSSandbox).HandleEvent(t.Context(), "x", nil, hyperlight.WithStats(&stats), hyperlight.WithPrintLimit(-1))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.Zero(t, stats)
}

func TestStatsOfAPoisonedSandbox(t *testing.T) {
	loaded := loadHandler(t, `function handler() { while (true) {} }`)
	var stats hyperlight.ExecutionStats
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte("1"), hyperlight.WithMonitors(hyperlight.WallClock(time.Millisecond)), hyperlight.WithStats(&stats))
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	assert.Equal(t, "wall-clock", stats.TerminatedBy)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte("1"), hyperlight.WithStats(&stats))
	require.ErrorIs(t, err, hyperlight.ErrPoisoned)
	assert.NotZero(t, stats.WallClock)
	assert.Empty(t, stats.TerminatedBy)
}
