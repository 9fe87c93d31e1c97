package hyperlight_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Together the events take longer than the limit of each.
func TestMonitorsOfEachEvent(t *testing.T) {
	loaded := loadHandler(t, burns)
	limit := hyperlight.WithMonitors(hyperlight.WallClock(2*time.Second), hyperlight.CPUTime(2*time.Second))
	texts, errs, err := batch(t, loaded, repeated(`{"ms":100}`, 30), limit)
	require.NoError(t, err)
	assert.Empty(t, errs)
	assert.Len(t, texts, 30)

	texts, errs, err = batch(t, loaded, eventsOf(`{"ms":0}`, `{"ms":600000}`, `{"ms":0}`), limit, hyperlight.WithBatchMonitors(hyperlight.WallClock(time.Hour)))
	assert.Equal(t, []string{"1", ""}, texts)
	assert.Same(t, errs[1], err)
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	assert.Contains(t, []string{"wall-clock", "cpu-time"}, asError(t, err).Monitor)
	assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
}

// A limit of the batch is used up by all events together, in an event or, rarely, between two.
func TestMonitorsOfABatch(t *testing.T) {
	loaded := loadHandler(t, burns)
	for name, monitor := range map[string]hyperlight.Monitor{
		"wall-clock": hyperlight.WallClock(500 * time.Millisecond),
		"cpu-time":   hyperlight.CPUTime(500 * time.Millisecond),
	} {
		var stats hyperlight.ExecutionStats
		texts, errs, err := batch(t, loaded, repeated(`{"ms":30}`, 1000), hyperlight.WithBatchMonitors(monitor),
			hyperlight.WithMonitors(hyperlight.WallClock(time.Hour)), hyperlight.WithStats(&stats))
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		assert.Equal(t, name, asError(t, err).Monitor)
		assert.Less(t, len(texts), 1000)
		assert.Equal(t, name, stats.TerminatedBy)
		if loaded.Status() == hyperlight.StatusPoisoned {
			assert.Same(t, errs[len(texts)-1], err)
			assert.Len(t, errs, 1)
		} else {
			assert.Empty(t, errs)
		}
		loaded = reload(t, loaded, burns)
	}
}

func TestLimitIsUsedUpBetweenTwoEvents(t *testing.T) {
	for name, monitor := range map[string]hyperlight.Monitor{
		"wall-clock": hyperlight.WallClock(1500 * time.Millisecond),
		"cpu-time":   hyperlight.CPUTime(time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			loaded := loadHandler(t, counter)
			var stats hyperlight.ExecutionStats
			_, err := between(t, t.Context(), loaded, func() {}, hyperlight.WithBatchMonitors(monitor), hyperlight.WithStats(&stats))
			require.ErrorIs(t, err, hyperlight.ErrCancelled)
			assert.EqualError(t, err, fmt.Sprintf("hyperlight: HandleEvents: "+
				"the batch was over for its monitor '%s' between two events (by %[1]s)", name))
			assert.Equal(t, name, asError(t, err).Monitor)
			assert.Equal(t, name, stats.TerminatedBy)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
			assert.Equal(t, `{"count":2}`, call(t, loaded, `{}`), "nobody has stopped the guest")
		})
	}
}

func TestTriggersOfABatch(t *testing.T) {
	trigger := newTrigger(t, "quota")
	t.Run("fired before", func(t *testing.T) {
		loaded := loadHandler(t, counter)
		trigger.Fire()
		defer trigger.Reset()
		results, err := loaded.HandleEvents(t.Context(), "handler", repeated(`{}`, 2), hyperlight.WithBatchMonitors(trigger))
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		assert.Empty(t, results)
		assert.Equal(t, "quota", asError(t, err).Monitor)
		assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`), "nothing ran")

		// As a monitor of each event it is each event's error.
		_, errs, err := batch(t, loaded, repeated(`{}`, 2), hyperlight.WithMonitors(trigger))
		require.NoError(t, err)
		assert.Len(t, errs, 2)
		require.ErrorIs(t, errs[1], hyperlight.ErrCancelled)
		assert.Equal(t, `{"count":2}`, call(t, loaded, `{}`), "nothing ran")
	})
	t.Run("fired between two events, and reset", func(t *testing.T) {
		loaded := loadHandler(t, counter)
		fire := func() { trigger.Fire(); trigger.Reset() }
		_, err := between(t, t.Context(), loaded, fire, hyperlight.WithBatchMonitors(trigger))
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		assert.Equal(t, "quota", asError(t, err).Monitor)
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	})
	t.Run("fired in an event, and reset", func(t *testing.T) {
		loaded := loadWith(t, functions{"act": func(event int) {
			if event == 2 {
				trigger.Fire()
				trigger.Reset()
			}
		}}, `function handler(event) { host.act(event); while (event === 2) {} return event; }`)
		texts, errs, err := batch(t, loaded, eventsOf(`1`, `2`, `3`), hyperlight.WithBatchMonitors(trigger))
		assert.Equal(t, []string{"1", ""}, texts)
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		assert.Same(t, errs[1], err)
		assert.Equal(t, "quota", asError(t, err).Monitor)
		assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
	})
}

// A trigger is fired at any time: what it stops is stopped for good, and no call after the batch is.
func TestTriggersThatFireAtAnyTimeInABatch(t *testing.T) {
	loaded := loadHandler(t, counter)
	call(t, loaded, `{}`)
	snapshot := takeSnapshot(t, loaded)
	trigger := newTrigger(t, "quota")
	for round := range 30 {
		restore(t, loaded, snapshot)
		timer := time.AfterFunc(time.Duration(round)*300*time.Microsecond, func() { trigger.Fire(); trigger.Reset() })
		results, err := loaded.HandleEvents(t.Context(), "handler", repeated(`{}`, 40),
			hyperlight.WithGC(false), hyperlight.WithBatchMonitors(trigger))
		timer.Stop()
		switch {
		case err == nil:
			assert.Len(t, results, 40)
		case loaded.Status() == hyperlight.StatusPoisoned:
			assert.Same(t, results[len(results)-1].Err, err)
		default:
			require.ErrorIs(t, err, hyperlight.ErrCancelled)
			assert.Less(t, len(results), 40)
		}
		if err != nil && !errors.Is(err, hyperlight.ErrCancelled) {
			t.Fatal(err)
		}
		if loaded.Status() == hyperlight.StatusReady {
			call(t, loaded, `{}`)
		}
	}
}
