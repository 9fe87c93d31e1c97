package hyperlight_test

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func interruptHandle(t *testing.T, loaded *hyperlight.LoadedJSSandbox) *hyperlight.InterruptHandle {
	t.Helper()
	handle, err := loaded.InterruptHandle()
	require.NoError(t, err)
	return handle
}

func TestKillStopsTheRunningCall(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, printsAndSpins, hyperlight.WithPrint(gate))
	handle := interruptHandle(t, loaded)
	for round := range 3 {
		running := start(t.Context(), loaded)
		<-gate.arrived
		if round == 1 {
			assert.False(t, handle.Kill(), "no signal is sent while the guest waits for Go")
			assert.False(t, handle.Kill())
		}
		gate.proceed <- struct{}{}
		if round != 1 {
			time.Sleep(50 * time.Millisecond)
			assert.True(t, handle.Kill())
		}
		began := time.Now()
		cancelled(t, loaded, (<-running).err, "interrupt")
		assert.Less(t, time.Since(began), soon)
		stats, ok := loaded.LastCallStats()
		assert.True(t, ok)
		assert.Empty(t, stats.TerminatedBy, "an interrupt handle is no monitor")
		// The handle is good for the same micro-VM, whatever becomes of its sandbox.
		loaded = reload(t, loaded, printsAndSpins)
		assert.False(t, handle.Dropped())
	}
	require.NoError(t, loaded.Close())
	assert.True(t, handle.Dropped())
	assert.False(t, handle.Kill())
}

func TestKillWithoutACallDoesNothing(t *testing.T) {
	loaded := loadHandler(t, counter)
	handle := interruptHandle(t, loaded)
	for count := range 3 {
		assert.False(t, handle.Kill())
		assert.Equal(t, []string{`{"count":1}`, `{"count":2}`, `{"count":3}`}[count], call(t, loaded, `{}`))
	}
	assert.False(t, handle.Kill())
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// It neither waits for a running call, nor needs one.
func TestInterruptHandleOfASandboxThatIsBusy(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, printsAndSpins, hyperlight.WithPrint(gate))
	running := start(t.Context(), loaded)
	<-gate.arrived
	handle := interruptHandle(t, loaded)
	gate.proceed <- struct{}{}
	handle.Kill()
	cancelled(t, loaded, (<-running).err, "interrupt")
}

func TestInterruptHandleOfNoSandbox(t *testing.T) {
	loaded := loadHandler(t, counter)
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	_, err = loaded.InterruptHandle()
	require.ErrorIs(t, err, hyperlight.ErrConsumed)

	loaded = loadHandler(t, counter)
	require.NoError(t, loaded.Close())
	_, err = loaded.InterruptHandle()
	require.ErrorIs(t, err, hyperlight.ErrClosed)

	_, err = (&hyperlight.LoadedJSSandbox{}).InterruptHandle()
	require.ErrorIs(t, err, hyperlight.ErrClosed)

	var none *hyperlight.InterruptHandle
	assert.False(t, none.Kill())
	assert.False(t, (&hyperlight.InterruptHandle{}).Dropped())
}

// Upstream offers no way to interrupt top-level code. A handle from an earlier load does.
func TestKillStopsALoad(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, counter, hyperlight.WithPrint(gate))
	handle := interruptHandle(t, loaded)
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	require.NoError(t, sandbox.AddHandler("endless", hyperlight.Script(
		`console.log("here"); while (true) {} function handler() {}`)))
	done := make(chan error)
	go func() {
		_, err := sandbox.Load(t.Context())
		done <- err
	}()
	<-gate.arrived
	assert.False(t, handle.Kill())
	gate.proceed <- struct{}{}
	err = <-done
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	assert.Equal(t, "interrupt", asError(t, err).Monitor)
	assert.True(t, handle.Dropped(), "a load that fails consumes the sandbox")
}

// Many goroutines kill one of several sandboxes, all the time; the others never notice.
func TestKillHitsOnlyItsTarget(t *testing.T) {
	target := loadHandler(t, counter, hyperlight.WithUpstreamDefaults())
	var handles atomic.Pointer[hyperlight.InterruptHandle]
	handles.Store(interruptHandle(t, target))
	var over atomic.Bool
	var killers, calls sync.WaitGroup
	for range 3 {
		killers.Go(func() {
			for !over.Load() {
				handles.Load().Kill()
				handles.Load().Dropped()
				time.Sleep(time.Millisecond)
			}
		})
	}
	for range 2 {
		calls.Go(func() {
			bystander := loadHandler(t, counter, hyperlight.WithUpstreamDefaults())
			for range 150 {
				call(t, bystander, `{}`)
			}
		})
	}
	stopped := 0
	for range 60 {
		_, err := target.HandleEvent(t.Context(), "handler", []byte(`{}`))
		if err != nil {
			cancelled(t, target, err, "interrupt")
			stopped++
			// A load may be killed too, and consumes the sandbox.
			sandbox, err := target.Unload(t.Context())
			require.NoError(t, err)
			require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
			if target, err = sandbox.Load(t.Context()); err != nil {
				require.ErrorIs(t, err, hyperlight.ErrCancelled)
				target = loadHandler(t, counter, hyperlight.WithUpstreamDefaults())
				handles.Store(interruptHandle(t, target))
			}
			closeWith(t, target)
		}
	}
	calls.Wait()
	over.Store(true)
	killers.Wait()
	assert.NotZero(t, stopped)
}

// Kills race with the end of calls, with Close, and with the collector.
func TestKillHammer(t *testing.T) {
	for range 4 {
		loaded := loadHandler(t, maySpin, hyperlight.WithUpstreamDefaults())
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 30 {
					handle, err := loaded.InterruptHandle()
					if err != nil {
						require.ErrorIs(t, err, hyperlight.ErrClosed)
						return
					}
					handle.Kill()
					loaded.LastCallStats()
					runtime.Gosched()
				}
			})
		}
		group.Go(func() {
			for range 20 {
				_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
				if err != nil {
					oneOf(t, err, hyperlight.ErrCancelled, hyperlight.ErrPoisoned, hyperlight.ErrClosed)
				}
			}
			assert.NoError(t, loaded.Close())
		})
		group.Go(runtime.GC)
		group.Wait()
	}
}

func oneOf(t *testing.T, err error, targets ...error) {
	t.Helper()
	isErr := func(target error) bool { return errors.Is(err, target) }
	assert.True(t, slices.ContainsFunc(targets, isErr), "unexpected: %v", err)
}
