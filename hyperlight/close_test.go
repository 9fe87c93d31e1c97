package hyperlight_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// closedError asserts that Close stopped a call.
func closedError(t *testing.T, op string, err error) {
	t.Helper()
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	require.NotErrorIs(t, err, hyperlight.ErrCancelled)
	assert.EqualError(t, err, "hyperlight: "+op+": the sandbox was closed, which stopped the guest")
}

// isDropped waits until the micro-VM is gone: its last user frees it.
func isDropped(t *testing.T, handle *hyperlight.InterruptHandle) {
	t.Helper()
	require.Eventually(t, handle.Dropped, soon, time.Millisecond)
}

func TestCloseStopsAHandler(t *testing.T) {
	for name, ctx := range map[string]context.Context{"with a context": t.Context(), "without": context.Background()} {
		t.Run(name, func(t *testing.T) {
			print, lit := beacon()
			loaded := loadHandler(t, printsAndSpins, print)
			handle := interruptHandle(t, loaded)
			running := start(ctx, loaded)
			<-lit
			require.NoError(t, loaded.Close())
			closedError(t, "HandleEvent", (<-running).err)
			isDropped(t, handle)
			assert.Equal(t, hyperlight.StatusClosed, loaded.Status())
		})
	}
}

// The guest waits for a print function here, so nothing can stop it; Close is back all the same.
func TestCloseDoesNotWait(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, prints, hyperlight.WithPrint(gate))
	handle := interruptHandle(t, loaded)
	running := start(t.Context(), loaded)
	<-gate.arrived
	for range 2 {
		require.NoError(t, loaded.Close())
	}
	assert.Empty(t, running)
	assert.False(t, handle.Dropped())
	gate.proceed <- struct{}{}
	closedError(t, "HandleEvent", (<-running).err)
	isDropped(t, handle)
}

// A host function's context ends, and whatever it returns, the guest does not go on.
func TestCloseReachesHostFunctions(t *testing.T) {
	arrived, cause := make(chan struct{}), make(chan error, 1)
	loaded := loadWith(t, functions{"wait": func(ctx context.Context) string {
		close(arrived)
		<-ctx.Done()
		assert.Equal(t, context.Canceled, ctx.Err())
		cause <- context.Cause(ctx)
		return "result"
	}}, `function handler() { return host.wait(); }`)
	handle := interruptHandle(t, loaded)
	running := start(t.Context(), loaded)
	<-arrived
	require.NoError(t, loaded.Close())
	closedError(t, "HandleEvent", (<-running).err)
	assert.Equal(t, hyperlight.ErrClosed, <-cause)
	isDropped(t, handle)
}

// The function's context is made after Close, which must not keep it from ending.
func TestCloseBeforeAHostFunctionLooksAtItsContext(t *testing.T) {
	var loaded *hyperlight.LoadedJSSandbox
	loaded = loadWith(t, functions{"close": func(ctx context.Context) error {
		assert.NoError(t, loaded.Close())
		<-ctx.Done()
		return context.Cause(ctx)
	}}, `function handler() { try { host.close(); } catch {} return "went on"; }`)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	closedError(t, "HandleEvent", err)
}

func TestCloseStopsALoad(t *testing.T) {
	const endless = `console.log("here"); for (;;) {} function handler() {}`
	t.Run("the first", func(t *testing.T) {
		print, lit := beacon()
		sandbox := newSandbox(t, print)
		require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(endless)))
		go func() {
			<-lit
			assert.NoError(t, sandbox.Close())
		}()
		_, err := sandbox.Load(context.Background())
		closedError(t, "Load", err)
		assert.Equal(t, hyperlight.StatusClosed, sandbox.Status())
	})
	t.Run("another", func(t *testing.T) {
		print, lit := beacon()
		loaded := loadHandler(t, counter, print)
		handle := interruptHandle(t, loaded)
		sandbox, err := loaded.Unload(t.Context())
		require.NoError(t, err)
		require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(endless)))
		go func() {
			<-lit
			assert.NoError(t, sandbox.Close())
		}()
		_, err = sandbox.Load(t.Context())
		closedError(t, "Load", err)
		isDropped(t, handle)
	})
}

// Close comes at any time, from before a method to after it. What is asked of a sandbox succeeds, or fails because it
// is closed, or for a reason that others had to give; and then its micro-VM is gone.
func TestCloseAtRandomInstants(t *testing.T) {
	methods := map[string]func(context.Context, *hyperlight.LoadedJSSandbox, *hyperlight.Snapshot) error{
		"HandleEvent": func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, _ *hyperlight.Snapshot) error {
			_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
			return err
		},
		"HandleEvent, endless": func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, _ *hyperlight.Snapshot) error {
			_, err := loaded.HandleEvent(ctx, "handler", []byte(`{"spin":true}`))
			return err
		},
		"Snapshot": func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, _ *hyperlight.Snapshot) error {
			snapshot, err := loaded.Snapshot(ctx)
			if err == nil {
				err = snapshot.Close()
			}
			return err
		},
		"Restore": func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, snapshot *hyperlight.Snapshot) error {
			return loaded.Restore(ctx, snapshot)
		},
		"Unload and Load": func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, _ *hyperlight.Snapshot) error {
			sandbox, err := loaded.Unload(ctx)
			if err != nil {
				return err
			}
			time.AfterFunc(rand.N(2*time.Millisecond), func() { _ = sandbox.Close() })
			if err := sandbox.AddHandler("handler", hyperlight.Script(maySpin)); err != nil {
				return err
			}
			again, err := sandbox.Load(ctx)
			if err == nil {
				err = again.Close()
			}
			return err
		},
	}
	snapshot := takeSnapshot(t, loadHandler(t, maySpin, hyperlight.WithUpstreamDefaults()))
	for name, method := range methods {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				loaded := loadHandler(t, maySpin, hyperlight.WithUpstreamDefaults())
				handle := interruptHandle(t, loaded)
				restore(t, loaded, snapshot) // From now on each takes as long as the next.
				time.AfterFunc(rand.N(3*time.Millisecond), func() { _ = loaded.Close() })
				for {
					if err := method(t.Context(), loaded, snapshot); err != nil {
						oneOf(t, err, hyperlight.ErrClosed, hyperlight.ErrConsumed)
						break
					}
				}
				isDropped(t, handle)
			}
		})
	}
}

// Everything that stops a guest, all at once. Nobody hangs, and the micro-VM is gone in the end.
func TestEverythingStopsAGuest(t *testing.T) {
	for range 6 {
		loaded := loadHandler(t, maySpin, hyperlight.WithUpstreamDefaults())
		handle := interruptHandle(t, loaded)
		snapshot := takeSnapshot(t, loaded)
		trigger := newTrigger(t, "context-test")
		end := time.Now().Add(20 * time.Millisecond)
		at := func(group *sync.WaitGroup, what func()) {
			group.Go(func() {
				time.Sleep(time.Until(end) + rand.N(3*time.Millisecond))
				what()
			})
		}
		ctx, cancel := context.WithDeadline(t.Context(), end.Add(rand.N(3*time.Millisecond)))
		var group sync.WaitGroup
		at(&group, func() { handle.Kill() })
		at(&group, trigger.Fire)
		at(&group, func() { assert.NoError(t, loaded.Close()) })
		for range 3 {
			group.Go(func() {
				for {
					_, err := loaded.HandleEvent(ctx, "handler", []byte(`{"spin":true}`),
						hyperlight.WithMonitors(trigger, hyperlight.WallClock(21*time.Millisecond)))
					oneOf(t, err, hyperlight.ErrClosed, hyperlight.ErrCancelled, hyperlight.ErrPoisoned, context.DeadlineExceeded)
					if errors.Is(err, hyperlight.ErrClosed) || errors.Is(err, context.DeadlineExceeded) {
						return
					}
					if err := loaded.Restore(ctx, snapshot); err != nil {
						oneOf(t, err, hyperlight.ErrClosed, context.DeadlineExceeded)
					}
				}
			})
		}
		group.Wait()
		cancel()
		isDropped(t, handle)
	}
}
