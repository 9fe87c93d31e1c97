package hyperlight_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// gate is a writer that stops the guest in mid-call: the guest prints, and waits for the writer.
type gate struct{ arrived, proceed chan struct{} }

func newGate() *gate { return &gate{make(chan struct{}), make(chan struct{})} }

func (g *gate) Write(p []byte) (int, error) {
	g.arrived <- struct{}{}
	<-g.proceed
	return len(p), nil
}

const prints = `let count = 0; function handler(event) { console.log("here"); return ++count; }`

type outcome struct {
	result string
	err    error
}

// start begins a call that stops at the gate.
func start(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		result, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
		done <- outcome{string(result), err}
	}()
	return done
}

func TestNobodyWaitsForARunningGuestWithoutReason(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, prints, hyperlight.WithPrint(gate))
	running := start(t.Context(), loaded)
	<-gate.arrived

	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	assert.NotZero(t, loaded.Config())

	ctx, cancel := context.WithCancel(t.Context())
	waiting := start(ctx, loaded)
	cancel()
	assert.ErrorIs(t, (<-waiting).err, context.Canceled)

	waiting = start(t.Context(), loaded)
	require.NoError(t, loaded.Close())
	assert.ErrorIs(t, (<-waiting).err, hyperlight.ErrClosed)
	assert.Equal(t, hyperlight.StatusClosed, loaded.Status())

	close(gate.proceed)
	assert.ErrorIs(t, (<-running).err, hyperlight.ErrClosed, "it was stopped, and frees the sandbox")
}

func TestCallsTakeTurns(t *testing.T) {
	loaded := loadHandler(t, `let count = 0; function handler() { return ++count; }`)
	const callers, calls = 16, 20
	seen := make([]bool, callers*calls+1)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range calls {
				result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithGC(false))
				if !assert.NoError(t, err) {
					return
				}
				var count int
				_, err = fmt.Sscan(string(result), &count)
				mu.Lock()
				assert.NoError(t, err)
				assert.False(t, seen[count])
				seen[count] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	assert.NotContains(t, seen[1:], false)
}

// Everything at once: whatever happens, each answer is a result or a typed error.
func TestLifecycleHammer(t *testing.T) {
	for range 5 {
		loaded := loadHandler(t, counter, hyperlight.WithUpstreamDefaults())
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 20 {
					_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithGC(false))
					if err != nil {
						over := fmt.Sprint(err)
						assert.Contains(t, []string{
							"hyperlight: HandleEvent: the sandbox is closed",
							"hyperlight: HandleEvent: the sandbox was closed, which stopped the guest",
							"hyperlight: HandleEvent: the sandbox has already been consumed",
						}, over)
					}
					loaded.Status()
				}
			})
		}
		group.Go(func() {
			if sandbox, err := loaded.Unload(t.Context()); err == nil {
				assert.NoError(t, sandbox.Close())
			}
		})
		group.Go(func() { assert.NoError(t, loaded.Close()) })
		group.Wait()
	}
}

// The collector runs all the time, and overwrites what it frees (GODEBUG=clobberfree=1), while calls pass
// strings and slices that nothing else refers to, and results come back. Package capi tests the pins alone.
func TestCallsUnderGCStorm(t *testing.T) {
	if os.Getenv(stormVariable) == "" {
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), stormVariable+"=1", "GODEBUG=clobberfree=1")
		output, err := child.CombinedOutput()
		require.NoError(t, err, string(output))
		require.Contains(t, string(output), "--- PASS: "+t.Name())
		return
	}
	name := func() string { return strings.Repeat("long", 1000) }
	sandbox := newSandbox(t)
	require.NoError(t, sandbox.AddHandler(name(), hyperlight.Script(`function handler(event) { console.log("x"); return event; }`)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	stop := make(chan struct{})
	var storm sync.WaitGroup
	for range 2 {
		storm.Go(func() {
			var garbage [][]byte
			for {
				select {
				case <-stop:
					return
				default:
					garbage = append(garbage[:len(garbage)%64], make([]byte, 4096))
					runtime.GC()
				}
			}
		})
	}
	event := func(i int) string { return fmt.Sprintf(`{"number":%d,"fill":"%04000d"}`, i, i) }
	for i := range 50 {
		result, err := loaded.HandleEvent(t.Context(), name(), []byte(event(i)), hyperlight.WithGC(false))
		require.NoError(t, err)
		require.Equal(t, event(i), string(result))
	}
	close(stop)
	storm.Wait()
}

const stormVariable = "HYPERLIGHT_TEST_GC_STORM"

// A sandbox that only a waiting call refers to must not be taken for forgotten.
func TestSandboxOfAWaitingCallIsNotForgotten(t *testing.T) {
	gate := newGate()
	running, waiting := func() (running, waiting <-chan outcome) {
		loaded := loadForgotten(t, prints, hyperlight.WithPrint(gate))
		running = start(t.Context(), loaded)
		<-gate.arrived
		return running, start(t.Context(), loaded)
	}()
	for range 10 {
		runtime.GC()
		runtime.Gosched()
	}
	gate.proceed <- struct{}{}
	assert.Equal(t, outcome{result: "1"}, <-running)
	for range 10 {
		runtime.GC()
		runtime.Gosched()
	}
	<-gate.arrived
	gate.proceed <- struct{}{}
	assert.Equal(t, outcome{result: "2"}, <-waiting)
}

// What a transition made when its source was closed has no owner.
func TestCloseDuringLoad(t *testing.T) {
	gate := newGate()
	sandbox := newSandbox(t, hyperlight.WithPrint(gate))
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`console.log("loading"); function handler() {}`)))
	done := make(chan error)
	go func() {
		_, err := sandbox.Load(context.Background())
		done <- err
	}()
	<-gate.arrived
	require.NoError(t, sandbox.Close())
	assert.Equal(t, hyperlight.StatusClosed, sandbox.Status())
	close(gate.proceed)
	assert.ErrorIs(t, <-done, hyperlight.ErrClosed)
}

// loadForgotten is loadHandler without anything that refers to the sandbox afterwards.
func loadForgotten(t *testing.T, source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	proto, err := hyperlight.New(opts...)
	require.NoError(t, err)
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	return loaded
}

// dropped is a writer whose own reachability tells whether the library still holds it.
type dropped struct{ io.Writer }

func TestForgottenSandboxIsFreed(t *testing.T) {
	freed := make(chan struct{})
	func() {
		writer := &dropped{io.Discard}
		runtime.AddCleanup(writer, func(c chan struct{}) { close(c) }, freed)
		loaded := loadForgotten(t, counter, hyperlight.WithPrint(writer))
		assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
	}()
	// The micro-VM lets go of the print function when it is destroyed, not before.
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-freed:
			return true
		default:
			return false
		}
	}, 30*time.Second, 10*time.Millisecond)
}
