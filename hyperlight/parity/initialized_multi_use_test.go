package parity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// guest does what upstream's test guest does, as far as JavaScript can: it adds, echoes, throws, takes
// memory, prints, and runs out of memory in two ways.
const guest = `
	let sum = 0;
	function handler(event) {
		if (event.add !== undefined) return sum += event.add;
		if (event.echo !== undefined) return event.echo;
		if (event.crash) throw new Error("Crash on purpose");
		if (event.malloc) return new Uint8Array(event.malloc).fill(1).length;
		if (event.print !== undefined) { print(event.print); return event.print.length; }
		if (event.exhaustHeap) { const all = []; for (;;) all.push(new Uint8Array(100000).fill(1)); }
		if (event.exhaustScratch) { function f(n) { return f(n + 1) + 1; } return f(0); }
	}`

func guestCall(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string) string {
	t.Helper()
	return handle(t, loaded, "handler", event)
}

// exhaust poisons a guest, as upstream's guest_panic and ExhaustHeap do.
func exhaust(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string) {
	t.Helper()
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
	require.ErrorIs(t, err, hyperlight.ErrGuestAborted)
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
	require.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
}

// echoing is an event that asks for so many bytes back.
func echoing(bytes int) (event, result string) {
	result = `"` + strings.Repeat("x", bytes) + `"`
	return `{"echo":` + result + `}`, result
}

// TestInitializedMultiUse is hyperlight-host's src/sandbox/initialized_multi_use.rs, as far as it is about
// what JavaScript or this package can provoke.
func TestInitializedMultiUse(t *testing.T) {
	t.Run("sandbox_status_predicates", func(t *testing.T) {
		for status, want := range map[hyperlight.Status][3]bool{
			hyperlight.StatusReady:         {true, false, false},
			hyperlight.StatusPoisoned:      {false, true, false},
			hyperlight.StatusUnrecoverable: {false, false, true},
		} {
			assert.Equal(t, want, [3]bool{status.IsReady(), status.IsPoisoned(), status.IsUnrecoverable()}, status)
		}
	})

	t.Run("poison", testPoison)

	// The buffers must be empty after each call, failed ones too, or they would be full soon.
	t.Run("io_buffer_reset", func(t *testing.T) {
		loaded := loadHandler(t, guest, hyperlight.WithInputBufferSize(8<<10), hyperlight.WithOutputBufferSize(8<<10))
		event, result := echoing(1000)
		for range 1000 {
			require.Equal(t, result, guestCall(t, loaded, event))
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"crash":true}`))
			require.ErrorIs(t, err, hyperlight.ErrJSException)
			require.Equal(t, "Crash on purpose", asError(t, err).Exception.Message)
		}
	})

	t.Run("host_func_error", func(t *testing.T) {
		failure := errors.New("hi")
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "HostError", func() error { return failure })
		}, `
			import * as host from "host";
			function handler() { return host.HostError(); }`)
		for range 1000 {
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
			require.ErrorIs(t, err, failure)
			require.Contains(t, asError(t, err).Exception.Message, ": hi")
		}
	})

	t.Run("call_host_func_expect_error", func(t *testing.T) {
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "known", func() {})
		}, `
			import * as host from "host";
			function handler() {
				try { host.SomeUnknownHostFunc(); } catch (e) { return e.message; }
			}`)
		assert.Equal(t, `"not a function"`, handle(t, loaded, "handler", `{}`))
	})

	for _, name := range []string{
		"test_call_guest_function_by_name", // One way to call, under two names.
		"snapshot_evolve_restore_handles_state_correctly",
	} {
		t.Run(name, func(t *testing.T) {
			loaded := loadHandler(t, guest)
			snapshot := takeSnapshot(t, loaded)
			assert.Equal(t, "5", guestCall(t, loaded, `{"add":5}`))
			restore(t, loaded, snapshot)
			assert.Equal(t, "0", guestCall(t, loaded, `{"add":0}`))
		})
	}

	t.Run("test_with_small_stack_and_heap", func(t *testing.T) {
		var printed strings.Builder
		loaded := loadHandler(t, guest, hyperlight.WithPrint(&printed))
		for i := range 1000 {
			require.Equal(t, `"hello"`, guestCall(t, loaded, `{"echo":"hello"}`))
			guestCall(t, loaded, fmt.Sprintf(`{"print":"Hello World %d\n"}`, i))
		}
		assert.Equal(t, 1000, strings.Count(printed.String(), "Hello World "))
	})

	t.Run("test_sandbox_creation_various_sizes", func(t *testing.T) {
		for _, heap := range []int{8 << 20, 64 << 20, 256 << 20} {
			// Upstream's guest needs 1 MiB of scratch; the page tables of the heap are in it, too.
			loaded := loadHandler(t, guest, hyperlight.WithHeapSize(heap), hyperlight.WithScratchSize(4<<20))
			assert.Equal(t, heap, loaded.Config().HeapSize)
			require.NoError(t, loaded.Close())
		}
	})

	t.Run("create_200_sandboxes", func(t *testing.T) { createMany(t, 20, 10) })
	t.Run("create_200_threads", func(t *testing.T) { createMany(t, 200, 1) })

	// An abort's text is collected in a buffer, in pieces. That of one abort must not be in front of the next.
	t.Run("stale_abort_buffer_does_not_leak_across_calls", func(t *testing.T) {
		loaded := loadHandler(t, guest)
		snapshot := takeSnapshot(t, loaded)
		for range 3 {
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"exhaustScratch":true}`))
			assert.Equal(t, "Guest aborted: 13 Out of physical memory", asError(t, err).Message)
			restore(t, loaded, snapshot)
			assert.Equal(t, `"hello"`, guestCall(t, loaded, `{"echo":"hello"}`))
		}
	})
}

func testPoison(t *testing.T) {
	loaded := loadHandler(t, guest)
	snapshot := takeSnapshot(t, loaded)
	exhaust(t, loaded, `{"exhaustScratch":true}`)

	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"exhaustScratch":true}`))
	refused(t, err, hyperlight.ErrPoisoned, "The sandbox was poisoned")
	_, err = loaded.Snapshot(t.Context())
	refused(t, err, hyperlight.ErrPoisoned, "The sandbox was poisoned")
	assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{"echo":"test"}`))
	refused(t, err, hyperlight.ErrPoisoned, "The sandbox was poisoned")

	restore(t, loaded, snapshot)
	assert.Equal(t, `"hello2"`, guestCall(t, loaded, `{"echo":"hello2"}`))
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())

	exhaust(t, loaded, `{"exhaustScratch":true}`)
	restore(t, loaded, snapshot)
	assert.Equal(t, `"hello3"`, guestCall(t, loaded, `{"echo":"hello3"}`))
	takeSnapshot(t, loaded)
}

// createMany boots sandboxes one after the other, in several goroutines at a time.
func createMany(t *testing.T, goroutines, each int) {
	t.Helper()
	var wait sync.WaitGroup
	start := make(chan struct{})
	failures := make([]error, goroutines)
	for i := range goroutines {
		wait.Go(func() {
			<-start
			for range each {
				failures[i] = errors.Join(failures[i], createOne(t.Context()))
			}
		})
	}
	close(start)
	wait.Wait()
	require.NoError(t, errors.Join(failures...))
}

func createOne(ctx context.Context) error {
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults())
	if err != nil {
		return err
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		return err
	}
	if err := sandbox.AddHandler("handler", hyperlight.Script(guest)); err != nil {
		return err
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		return err
	}
	result, err := loaded.HandleEvent(ctx, "handler", []byte(`{"add":0}`))
	if err == nil && string(result) != "0" {
		err = fmt.Errorf("the sum is %s", result)
	}
	return errors.Join(err, loaded.Close())
}

// TestInitializedMultiUseSnapshots are the tests of snapshots in the same file, without those of
// upstream's second test guest, of memory that the host maps into a guest, and of model-specific registers.
func TestInitializedMultiUseSnapshots(t *testing.T) {
	t.Run("snapshot_restore_across_sandboxes", func(t *testing.T) {
		source, target := loadHandler(t, guest), loadHandler(t, guest)
		assert.Equal(t, "42", guestCall(t, source, `{"add":42}`))
		assert.Equal(t, "0", guestCall(t, target, `{"add":0}`))
		restore(t, target, takeSnapshot(t, source))
		assert.Equal(t, "42", guestCall(t, target, `{"add":0}`))
	})

	t.Run("snapshot_restore_across_sandboxes_repeated", func(t *testing.T) {
		source, target := loadHandler(t, guest), loadHandler(t, guest)
		guestCall(t, source, `{"add":7}`)
		snapshot := takeSnapshot(t, source)
		restore(t, target, snapshot)
		assert.Equal(t, "7", guestCall(t, target, `{"add":0}`))
		assert.Equal(t, "1007", guestCall(t, target, `{"add":1000}`))
		restore(t, target, snapshot)
		assert.Equal(t, "7", guestCall(t, target, `{"add":0}`))
	})

	t.Run("snapshot_restore_accepts_different_configured_layout", testDifferentLayouts)
	t.Run("snapshot_restore_alternates_different_layouts", testAlternatingLayouts)

	t.Run("snapshot_restore_recovers_oom_with_larger_heap", func(t *testing.T) {
		scratch := hyperlight.WithScratchSize(12 << 20) // The heap is the limit.
		snapshot := takeSnapshot(t, loadHandler(t, guest, scratch, hyperlight.WithHeapSize(8<<20)))
		target := loadHandler(t, guest, scratch)
		exhaust(t, target, `{"exhaustHeap":true}`)
		restore(t, target, snapshot)
		assert.Equal(t, "4000000", guestCall(t, target, `{"malloc":4000000}`))
	})

	t.Run("snapshot_restore_applies_smaller_heap_limit", func(t *testing.T) {
		scratch := hyperlight.WithScratchSize(12 << 20)
		snapshot := takeSnapshot(t, loadHandler(t, guest, scratch))
		target := loadHandler(t, guest, scratch, hyperlight.WithHeapSize(8<<20))
		assert.Equal(t, "4000000", guestCall(t, target, `{"malloc":4000000}`))
		restore(t, target, snapshot)
		assert.Equal(t, 4<<20, target.Config().HeapSize)
		exhaust(t, target, `{"malloc":4000000}`)
	})

	t.Run("snapshot_restore_applies_smaller_io_limits", testSmallerBuffers)

	t.Run("snapshot_restore_keeps_target_host_function_implementation", func(t *testing.T) {
		var source, target strings.Builder // Printing is a host function, too.
		snapshot := takeSnapshot(t, loadHandler(t, guest, hyperlight.WithPrint(&source)))
		loaded := loadHandler(t, guest, hyperlight.WithPrint(&target))
		restore(t, loaded, snapshot)
		guestCall(t, loaded, `{"print":"42"}`)
		assert.Empty(t, source.String())
		assert.Equal(t, "42", target.String())
	})

	t.Run("snapshot_restore_failure_leaves_target_usable", testRestoreFailure)

	// What stands behind both is one snapshot, and what each sandbox writes is its own.
	t.Run("arc_clone_isolation_and_restore_compat", func(t *testing.T) {
		source, a, b := loadHandler(t, guest), loadHandler(t, guest), loadHandler(t, guest)
		guestCall(t, source, `{"add":3}`)
		snapshot := takeSnapshot(t, source)
		restore(t, a, snapshot)
		restore(t, b, snapshot)
		assert.Equal(t, "3", guestCall(t, a, `{"add":0}`))
		assert.Equal(t, "3", guestCall(t, b, `{"add":0}`))
		assert.Equal(t, "10", guestCall(t, a, `{"add":7}`))
		assert.Equal(t, "3", guestCall(t, b, `{"add":0}`))
		restore(t, a, snapshot)
		restore(t, b, snapshot)
		assert.Equal(t, "3", guestCall(t, a, `{"add":0}`))
		assert.Equal(t, "3", guestCall(t, b, `{"add":0}`))
	})

	t.Run("round_trip_running_sandbox", func(t *testing.T) {
		source, target := loadHandler(t, guest), loadHandler(t, adder)
		guestCall(t, source, `{"add":11}`)
		restore(t, target, takeSnapshot(t, source))
		assert.Equal(t, "11", guestCall(t, target, `{"add":0}`))
		assert.Equal(t, `"hi"`, guestCall(t, target, `{"echo":"hi"}`))
	})

	t.Run("re_snapshot_after_from_snapshot", func(t *testing.T) {
		source, second, third := loadHandler(t, guest), loadHandler(t, guest), loadHandler(t, guest)
		guestCall(t, source, `{"add":4}`)
		restore(t, second, takeSnapshot(t, source))
		guestCall(t, second, `{"add":6}`)
		again := takeSnapshot(t, second)
		assert.Equal(t, "110", guestCall(t, second, `{"add":100}`))
		restore(t, second, again)
		assert.Equal(t, "10", guestCall(t, second, `{"add":0}`))
		restore(t, third, again)
		assert.Equal(t, "10", guestCall(t, third, `{"add":0}`))
	})

	t.Run("snapshot_generation_propagates", func(t *testing.T) {
		source, target := loadHandler(t, guest), loadHandler(t, guest)
		generation := func(snapshot *hyperlight.Snapshot) int64 {
			l := ociLayout{t, t.TempDir()}
			l.save(snapshot, "latest")
			return number(l.config()["snapshot_generation"])
		}
		guestCall(t, source, `{"add":1}`)
		one := generation(takeSnapshot(t, source))
		guestCall(t, source, `{"add":1}`)
		two := takeSnapshot(t, source)
		assert.Equal(t, one+1, generation(two))
		restore(t, target, two)
		guestCall(t, target, `{"add":1}`)
		assert.Equal(t, one+2, generation(takeSnapshot(t, target)))
	})
}

func testDifferentLayouts(t *testing.T) {
	for name, test := range map[string]struct {
		option hyperlight.Option
		value  func(hyperlight.Config) int
	}{
		"input":   {hyperlight.WithInputBufferSize(0x8000), func(c hyperlight.Config) int { return c.InputBufferSize }},
		"output":  {hyperlight.WithOutputBufferSize(0x8000), func(c hyperlight.Config) int { return c.OutputBufferSize }},
		"heap":    {hyperlight.WithHeapSize(8 << 20), func(c hyperlight.Config) int { return c.HeapSize }},
		"scratch": {hyperlight.WithScratchSize(2 << 20), func(c hyperlight.Config) int { return c.ScratchSize }},
	} {
		usual, custom := loadHandler(t, guest), loadHandler(t, guest, test.option)
		usualSnapshot, customSnapshot := takeSnapshot(t, usual), takeSnapshot(t, custom)
		require.NotEqual(t, test.value(usual.Config()), test.value(custom.Config()), name)
		for _, trip := range []struct {
			target   *hyperlight.LoadedJSSandbox
			snapshot *hyperlight.Snapshot
		}{{usual, customSnapshot}, {custom, usualSnapshot}} {
			restore(t, trip.target, trip.snapshot)
			assert.Equal(t, test.value(trip.snapshot.Config()), test.value(trip.target.Config()), name)
			assert.Equal(t, "42", guestCall(t, trip.target, `{"add":42}`))
		}
	}
}

func testAlternatingLayouts(t *testing.T) {
	small := loadHandler(t, guest, hyperlight.WithInputBufferSize(8<<10), hyperlight.WithOutputBufferSize(8<<10))
	large := loadHandler(t, guest, hyperlight.WithInputBufferSize(32<<10), hyperlight.WithOutputBufferSize(32<<10),
		hyperlight.WithHeapSize(8<<20), hyperlight.WithScratchSize(2<<20))
	target := loadHandler(t, guest)
	guestCall(t, small, `{"add":11}`)
	guestCall(t, large, `{"add":22}`)
	smallSnapshot, largeSnapshot := takeSnapshot(t, small), takeSnapshot(t, large)
	for _, step := range []struct {
		snapshot *hyperlight.Snapshot
		sum      string
	}{{smallSnapshot, "11"}, {largeSnapshot, "22"}, {smallSnapshot, "11"}} {
		restore(t, target, step.snapshot)
		assert.Equal(t, step.sum, guestCall(t, target, `{"add":0}`))
		assert.Equal(t, step.snapshot.Config().HeapSize, target.Config().HeapSize)
	}
}

func testSmallerBuffers(t *testing.T) {
	snapshot := takeSnapshot(t, loadHandler(t, guest, hyperlight.WithInputBufferSize(8<<10), hyperlight.WithOutputBufferSize(8<<10)))
	target := loadHandler(t, guest, hyperlight.WithInputBufferSize(32<<10), hyperlight.WithOutputBufferSize(32<<10))
	event, result := echoing(0x3000)
	assert.Equal(t, result, guestCall(t, target, event))
	restore(t, target, snapshot)
	assert.Equal(t, 8<<10, target.Config().InputBufferSize)
	assert.Equal(t, 8<<10, target.Config().OutputBufferSize)
	_, err := target.HandleEvent(t.Context(), "handler", []byte(event))
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	assert.Equal(t, hyperlight.StatusReady, target.Status())
	assert.Equal(t, `"small"`, guestCall(t, target, `{"echo":"small"}`))
}

// What is refused before anything is changed changes nothing.
func testRestoreFailure(t *testing.T) {
	target := loadHandler(t, guest)
	guestCall(t, target, `{"add":5}`)
	l := ociLayout{t, t.TempDir()}
	l.save(takeSnapshot(t, target), "latest")
	l.rewriteConfig(func(config object) {
		config["host_functions"] = append(config["host_functions"].([]any),
			object{"function_name": "Add", "parameter_types": []any{"int", "int"}, "return_type": "int"})
	})
	bad := l.load("latest")
	before := target.Config()
	refused(t, target.Restore(t.Context(), bad), hyperlight.ErrSnapshotMismatch,
		"Snapshot host function mismatch: missing=[Add], signature mismatches=[]")
	assert.Equal(t, hyperlight.StatusReady, target.Status())
	assert.Equal(t, before, target.Config())
	assert.Equal(t, "5", guestCall(t, target, `{"add":0}`))
	assert.Equal(t, "8", guestCall(t, target, `{"add":3}`))
	good := takeSnapshot(t, target)
	assert.Equal(t, "108", guestCall(t, target, `{"add":100}`))
	restore(t, target, good)
	assert.Equal(t, "8", guestCall(t, target, `{"add":0}`))
}
