package parity_test

import (
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	// spin, echo and printThenSpin are what upstream's test guest calls Spin, Echo and CallHostThenSpin. The
	// host function is the print function.
	spin          = `function handler() { while (true) {} }`
	echo          = `function handler(event) { return event; }`
	printThenSpin = `function handler() { console.log("here"); while (true) {} }`
)

func interruptHandle(t *testing.T, loaded *hyperlight.LoadedJSSandbox) *hyperlight.InterruptHandle {
	t.Helper()
	handle, err := loaded.InterruptHandle()
	require.NoError(t, err)
	return handle
}

// run calls "handler" with an event that is not looked at.
func run(t *testing.T, loaded *hyperlight.LoadedJSSandbox) error {
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"hello"`))
	return err
}

// mayBeKilled runs echo in a sandbox that is killed all the time, and makes it usable again.
func mayBeKilled(t *testing.T, loaded *hyperlight.LoadedJSSandbox, snapshot *hyperlight.Snapshot) {
	t.Helper()
	if err := run(t, loaded); err != nil {
		cancelled(t, loaded, err, "interrupt")
		restore(t, loaded, snapshot)
	}
}

// TestIntegration is about interrupts in tests/integration_test.rs of hyperlight-host, with fewer rounds.
func TestIntegration(t *testing.T) {
	t.Run("interrupt_host_call", func(t *testing.T) {
		arrived := make(chan struct{})
		loaded := loadHandler(t, printThenSpin, hyperlight.WithPrintFunc(func(string) {
			arrived <- struct{}{}
			time.Sleep(time.Second)
		}))
		snapshot := takeSnapshot(t, loaded)
		handle := interruptHandle(t, loaded)
		assert.False(t, handle.Dropped())
		var killer sync.WaitGroup
		killer.Go(func() {
			<-arrived
			handle.Kill()
		})
		cancelled(t, loaded, run(t, loaded), "interrupt")
		killer.Wait()
		restore(t, loaded, snapshot)
	})

	t.Run("interrupt_in_progress_guest_call", func(t *testing.T) {
		sandbox := newSandbox(t)
		addHandler(t, sandbox, "Spin", spin)
		addHandler(t, sandbox, "handler", echo)
		loaded := load(t, sandbox)
		snapshot := takeSnapshot(t, loaded)
		handle := interruptHandle(t, loaded)
		assert.False(t, handle.Dropped())
		sent := make(chan bool)
		time.AfterFunc(time.Second, func() { sent <- handle.Kill() })
		_, err := loaded.HandleEvent(t.Context(), "Spin", []byte(`{}`))
		assert.True(t, <-sent)
		cancelled(t, loaded, err, "interrupt")
		restore(t, loaded, snapshot)
		require.NoError(t, run(t, loaded))
		require.NoError(t, loaded.Close())
		assert.True(t, handle.Dropped())
	})

	t.Run("interrupt_guest_call_in_advance", func(t *testing.T) {
		loaded := loadHandler(t, echo)
		handle := interruptHandle(t, loaded)
		assert.False(t, handle.Dropped())
		assert.False(t, handle.Kill(), "nothing runs yet")
		require.NoError(t, run(t, loaded))
		require.NoError(t, run(t, loaded))
		require.NoError(t, loaded.Close())
		assert.True(t, handle.Dropped())
	})

	t.Run("interrupt_same_thread", func(t *testing.T) { interruptSameThread(t, 100, true) })
	t.Run("interrupt_same_thread_no_barrier", func(t *testing.T) { interruptSameThread(t, 100, false) })

	t.Run("interrupt_moved_sandbox", func(t *testing.T) {
		moved, stays := loadHandler(t, spin), loadHandler(t, spin)
		snapshot := takeSnapshot(t, moved)
		handle, handle2 := interruptHandle(t, moved), interruptHandle(t, stays)
		var group sync.WaitGroup
		group.Go(func() {
			cancelled(t, moved, run(t, moved), "interrupt")
			restore(t, moved, snapshot)
		})
		group.Go(func() {
			time.Sleep(time.Second)
			assert.True(t, handle.Kill())
			assert.True(t, handle2.Kill(), "it was not killed before")
		})
		cancelled(t, stays, run(t, stays), "interrupt")
		group.Wait()
	})

	// The next call begins while the interrupter waits for its second signal: it must not be hit.
	t.Run("interrupt_custom_signal_no_and_retry_delay", func(t *testing.T) {
		const rounds, delay = 3, 500 * time.Millisecond
		loaded := loadHandler(t, spin, hyperlight.WithInterruptSignalOffset(0), hyperlight.WithInterruptRetryDelay(delay))
		snapshot := takeSnapshot(t, loaded)
		handle := interruptHandle(t, loaded)
		var killer sync.WaitGroup
		killer.Go(func() {
			for range rounds {
				time.Sleep(3 * delay)
				assert.True(t, handle.Kill())
			}
		})
		for range rounds {
			cancelled(t, loaded, run(t, loaded), "interrupt")
			restore(t, loaded, snapshot)
		}
		killer.Wait()
	})

	t.Run("interrupt_spamming_host_call", func(t *testing.T) {
		loaded := loadHandler(t, `function handler() { while (true) console.log("x"); }`, hyperlight.WithPrint(io.Discard))
		handle := interruptHandle(t, loaded)
		time.AfterFunc(time.Second, func() { handle.Kill() })
		cancelled(t, loaded, run(t, loaded), "interrupt")
	})

	t.Run("interrupt_random_kill_stress_test", interruptRandomKill)
	t.Run("interrupt_infinite_loop_stress_test", interruptInfiniteLoop)
	t.Run("interrupt_infinite_moving_loop_stress_test", interruptMovingLoop)

	// Upstream runs this one on Windows, where it found a use after free.
	t.Run("interrupt_cancel_delete_race", func(t *testing.T) {
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for range 3 {
					loaded := loadHandler(t, echo)
					handle := interruptHandle(t, loaded)
					var over atomic.Bool
					var killers sync.WaitGroup
					for range 4 {
						killers.Go(func() {
							for !over.Load() {
								handle.Kill()
							}
						})
					}
					_ = run(t, loaded)
					assert.NoError(t, loaded.Close())
					over.Store(true)
					killers.Wait()
					assert.True(t, handle.Dropped())
				}
			})
		}
		group.Wait()
	})
}

// interruptSameThread runs three sandboxes one after the other. Only the second may be killed.
func interruptSameThread(t *testing.T, rounds int, barrier bool) {
	first, second, third := loadHandler(t, echo), loadHandler(t, echo), loadHandler(t, echo)
	snapshot := takeSnapshot(t, second)
	handle := interruptHandle(t, second)
	rendezvous := make(chan struct{})
	var over atomic.Bool
	var killer sync.WaitGroup
	killer.Go(func() {
		if barrier {
			for range rendezvous {
				handle.Kill()
			}
			return
		}
		for !over.Load() {
			handle.Kill()
		}
	})
	for range rounds {
		if barrier {
			rendezvous <- struct{}{}
		}
		require.NoError(t, run(t, first))
		mayBeKilled(t, second, snapshot)
		require.NoError(t, run(t, third))
	}
	close(rendezvous)
	over.Store(true)
	killer.Wait()
}

// interruptRandomKill kills some of many calls at random times. The others must not notice.
func interruptRandomKill(t *testing.T) {
	const sandboxes, goroutines, rounds = 3, 3, 30
	const source = `function handler() { const end = Date.now() + 10; while (Date.now() < end) {} return 1; }`
	pool := make(chan *hyperlight.LoadedJSSandbox, sandboxes)
	var snapshot *hyperlight.Snapshot // of one, for all
	for range sandboxes {
		loaded := loadHandler(t, source)
		if snapshot == nil {
			snapshot = takeSnapshot(t, loaded)
		}
		pool <- loaded
	}
	var killed, spared atomic.Int32
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for range rounds {
				loaded := <-pool
				shouldKill := rand.IntN(2) == 0
				var killer sync.WaitGroup
				if shouldKill {
					handle := interruptHandle(t, loaded)
					killer.Go(func() {
						time.Sleep(time.Duration(rand.IntN(16)) * time.Millisecond)
						handle.Kill()
					})
				}
				err := run(t, loaded)
				killer.Wait()
				if err != nil {
					cancelled(t, loaded, err, "interrupt")
					assert.True(t, shouldKill, "nobody killed it")
					restore(t, loaded, snapshot)
					killed.Add(1)
				} else {
					spared.Add(1)
				}
				pool <- loaded
			}
		})
	}
	group.Wait()
	assert.NotZero(t, killed.Load())
	assert.NotZero(t, spared.Load())
	assert.EqualValues(t, goroutines*rounds, killed.Load()+spared.Load())
}

// interruptInfiniteLoop kills guests that have just printed and loop for ever. If this hangs, a kill was lost.
func interruptInfiniteLoop(t *testing.T) {
	const goroutines, rounds = 3, 30
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			arrived := make(chan struct{})
			loaded := loadHandler(t, printThenSpin, hyperlight.WithPrintFunc(func(string) { arrived <- struct{}{} }))
			snapshot := takeSnapshot(t, loaded)
			handle := interruptHandle(t, loaded)
			for range rounds {
				var killer sync.WaitGroup
				killer.Go(func() {
					<-arrived
					handle.Kill()
				})
				err := run(t, loaded)
				killer.Wait()
				cancelled(t, loaded, err, "interrupt")
				restore(t, loaded, snapshot)
			}
		})
	}
	group.Wait()
}

// interruptMovingLoop kills a sandbox that shares threads with another, which must not notice. A kill that comes
// after the guest has printed is certain to hit.
func interruptMovingLoop(t *testing.T) {
	const source = `
		function handler() {
			console.log("here");
			const end = Date.now() + 500;
			while (Date.now() < end) {}
			return 1;
		}`
	// Which goes first, and which have goroutines of their own.
	for variant := range 8 {
		var entered atomic.Bool
		sandbox := loadHandler(t, source, hyperlight.WithPrintFunc(func(string) { entered.Store(true) }))
		bait := loadHandler(t, echo)
		handle := interruptHandle(t, sandbox)
		var err error
		order := []func(){
			func() { err = run(t, sandbox) },
			func() { assert.NoError(t, run(t, bait), "bait must never be interrupted") },
		}
		if variant&1 != 0 {
			slices.Reverse(order)
		}
		var enteredBeforeKill bool
		var killer, calls sync.WaitGroup
		killer.Go(func() {
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			enteredBeforeKill = entered.Load()
			handle.Kill()
		})
		for i, call := range order {
			if variant&(2<<i) != 0 {
				calls.Go(call)
			} else {
				call()
			}
		}
		calls.Wait()
		killer.Wait()
		if err != nil || enteredBeforeKill {
			cancelled(t, sandbox, err, "interrupt")
		}
		require.NoError(t, sandbox.Close())
		require.NoError(t, bait.Close())
	}
}
