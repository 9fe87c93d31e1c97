package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// acts calls the host function "act" with each event, and returns 1.
const acts = `function handler(event) { host.act(event); return 1; }`

// between runs a batch of which the first event reaches the guest and nothing after it does, does something when
// that is over, and returns what became of the batch. There are enough events for that to happen between two of them.
func between(t *testing.T, ctx context.Context, loaded *hyperlight.LoadedJSSandbox, something func(), opts ...hyperlight.BatchOption) ([]hyperlight.EventResult, error) {
	t.Helper()
	events := repeated("no JSON", 1_000_000)
	events[0] = []byte(`{}`)
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert.Eventually(t, func() bool {
			_, over := loaded.LastCallStats()
			return over
		}, soon, time.Millisecond)
		something()
	}()
	results, err := loaded.HandleEvents(ctx, "handler", events, opts...)
	<-done
	require.Error(t, err)
	require.NotEmpty(t, results)
	require.Less(t, len(results), len(events))
	require.NoError(t, results[0].Err)
	for _, result := range results[1:] {
		require.ErrorIs(t, result.Err, hyperlight.ErrInvalidJSON)
	}
	return results, err
}

func TestBatchEndsWithItsContext(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		loaded := loadHandler(t, counter)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		results, err := loaded.HandleEvents(ctx, "handler", repeated(`{}`, 2))
		require.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, results)
		assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`), "nothing ran")
	})
	t.Run("between two events", func(t *testing.T) {
		loaded := loadHandler(t, counter)
		gone := errors.New("the client is gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := between(t, ctx, loaded, func() { cancel(gone) })
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, gone)
		assert.EqualError(t, err, "hyperlight: HandleEvents: no more events were taken up: context canceled: the client is gone")
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		assert.Equal(t, `{"count":2}`, call(t, loaded, `{}`), "nobody has stopped the guest")
	})
	t.Run("in an event", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		loaded := loadWith(t, functions{"act": func(event string) {
			if event == "cancel" {
				cancel()
			}
		}}, `function handler(event) { host.act(event); while (event === "cancel") {} return 1; }`)
		results, err := loaded.HandleEvents(ctx, "handler", eventsOf(`"a"`, `"cancel"`, `"b"`))
		require.Len(t, results, 2)
		require.NoError(t, results[0].Err)
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		require.ErrorIs(t, err, context.Canceled)
		assert.Same(t, results[1].Err, err)
		assert.Equal(t, "context", asError(t, err).Monitor)
		assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
	})
}

// Whenever the context ends, each event was taken up or not, and the next call notices nothing.
func TestBatchesAndContextsThatEndAtAnyTime(t *testing.T) {
	loaded := loadHandler(t, counter)
	call(t, loaded, `{}`)
	snapshot := takeSnapshot(t, loaded)
	for round := range 60 {
		restore(t, loaded, snapshot)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(round)*200*time.Microsecond)
		results, err := loaded.HandleEvents(ctx, "handler", repeated(`{}`, 50), hyperlight.WithGC(false))
		cancel()
		succeeded := 0
		for i, result := range results {
			if result.Err == nil {
				require.Equal(t, fmt.Sprintf(`{"count":%d}`, i+2), string(result.Result))
				succeeded++
			}
		}
		switch {
		case err == nil:
			assert.Equal(t, 50, succeeded)
		case errors.Is(err, hyperlight.ErrCancelled):
			assert.Equal(t, len(results)-1, succeeded)
			assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
		default:
			assert.Equal(t, len(results), succeeded)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		}
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		if loaded.Status() == hyperlight.StatusReady {
			assert.Equal(t, fmt.Sprintf(`{"count":%d}`, succeeded+2), call(t, loaded, `{}`))
		}
	}
}

func TestCloseEndsABatch(t *testing.T) {
	t.Run("between two events", func(t *testing.T) {
		loaded := loadHandler(t, counter)
		_, err := between(t, t.Context(), loaded, func() { assert.NoError(t, loaded.Close()) })
		require.ErrorIs(t, err, hyperlight.ErrClosed)
	})
	t.Run("in an event", func(t *testing.T) {
		var loaded *hyperlight.LoadedJSSandbox
		loaded = loadWith(t, functions{"act": func(event string) error {
			if event == "close" {
				return loaded.Close()
			}
			return nil
		}}, `function handler(event) { host.act(event); while (event === "close") {} return 1; }`)
		results, err := loaded.HandleEvents(t.Context(), "handler", eventsOf(`"a"`, `"close"`, `"b"`))
		require.Len(t, results, 2)
		assert.Equal(t, "1", string(results[0].Result))
		require.ErrorIs(t, err, hyperlight.ErrClosed)
		assert.Same(t, results[1].Err, err)
		assert.Equal(t, hyperlight.StatusClosed, loaded.Status())
	})
}

func TestKillEndsABatch(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, `function handler(event) {
		if (event !== "spin") return event;
		console.log("here");
		while (true) {}
	}`, hyperlight.WithPrint(gate))
	handle := interruptHandle(t, loaded)
	go func() {
		<-gate.arrived
		handle.Kill()
		gate.proceed <- struct{}{}
	}()
	texts, errs, err := batch(t, loaded, eventsOf(`1`, `"spin"`, `3`))
	assert.Equal(t, []string{"1", ""}, texts)
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	assert.Same(t, errs[1], err)
	assert.Equal(t, "interrupt", asError(t, err).Monitor)
	assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
}

func TestBatchInItsOwnHostFunction(t *testing.T) {
	var loaded *hyperlight.LoadedJSSandbox
	loaded = loadWith(t, functions{"act": func(ctx context.Context, event int) error {
		if event == 2 {
			_, err := loaded.HandleEvents(ctx, "handler", eventsOf(`1`))
			return err
		}
		return nil
	}}, acts)
	texts, errs, err := batch(t, loaded, eventsOf(`1`, `2`, `3`))
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "", "1"}, texts)
	require.ErrorIs(t, errs[1], hyperlight.ErrReentrant)
}

// Each event's error has the Go error of its own host function, also if there are many, and also if another event gets
// at the exception.
func TestHostFailuresInABatch(t *testing.T) {
	failures := make([]error, 40)
	for i := range failures {
		failures[i] = fmt.Errorf("failure %d", i)
	}
	loaded := loadWith(t, functions{
		"fail":  func(i int) error { return failures[i] },
		"panic": func() { panic("a host panic") },
	}, `
		let saved;
		function handler(event) {
			if (event === "panic") host.panic();
			if (event === "rethrow") throw saved;
			if (event < 0) for (let i = 0; i < -event; i++) try { host.fail(i); } catch (e) { saved = e; }
			else host.fail(event);
			return "caught";
		}`)
	events := eventsOf(`-1`, `"rethrow"`)
	for i := range failures {
		events = append(events, fmt.Append(nil, i))
	}
	events = append(events, eventsOf(`-20`, `"panic"`, `"rethrow"`, `7`)...)
	texts, errs, err := batch(t, loaded, events)
	require.NoError(t, err)
	assert.Equal(t, `"caught"`, texts[0])
	require.ErrorIs(t, errs[1], hyperlight.ErrJSException)
	for _, failure := range failures {
		require.NotErrorIs(t, errs[1], failure, "it is that of an earlier event")
	}
	for i, failure := range failures {
		require.ErrorIs(t, errs[2+i], failure)
		require.NotErrorIs(t, errs[2+i], failures[(i+1)%len(failures)])
	}
	after := 2 + len(failures)
	assert.Equal(t, `"caught"`, texts[after])
	require.ErrorIs(t, errs[after+1], hyperlight.ErrHostFunctionPanicked)
	var panicked *hyperlight.HostPanic
	require.ErrorAs(t, errs[after+1], &panicked)
	assert.Equal(t, "a host panic", panicked.Value)
	require.NotErrorIs(t, errs[after+2], failures[19])
	require.NotErrorIs(t, errs[after+2], hyperlight.ErrHostFunctionPanicked)
	require.ErrorIs(t, errs[after+3], failures[7])

	// What a call says by itself is not the business of the batch before.
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`"rethrow"`))
	require.NotErrorIs(t, err, failures[19])
}

func TestModuleFailuresInABatch(t *testing.T) {
	loaded := importer(t, hostile(func(name string) (fs.File, error) {
		if name == "broken.js" {
			return nil, errBroken
		}
		return nil, fs.ErrNotExist
	}))
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	addAt(t, sandbox, "handler", "/", `export async function handler(name) { return (await import(name)).is; }`)
	loaded = load(t, sandbox)
	_, errs, err := batch(t, loaded, eventsOf(`"./broken.js"`, `"./missing.js"`, `"./broken.js"`))
	require.NoError(t, err)
	require.ErrorIs(t, errs[0], errBroken)
	require.ErrorIs(t, errs[1], hyperlight.ErrJSException)
	require.NotErrorIs(t, errs[1], errBroken)
}
