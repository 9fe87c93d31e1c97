package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// takeSnapshot takes a snapshot that is closed with the test.
func takeSnapshot(t *testing.T, loaded *hyperlight.LoadedJSSandbox) *hyperlight.Snapshot {
	t.Helper()
	snapshot, err := loaded.Snapshot(t.Context())
	require.NoError(t, err)
	closeWith(t, snapshot)
	return snapshot
}

func restore(t *testing.T, loaded *hyperlight.LoadedJSSandbox, snapshot *hyperlight.Snapshot) {
	t.Helper()
	require.NoError(t, loaded.Restore(t.Context(), snapshot))
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// hungry is a counter that runs out of memory when it is told to.
const hungry = `
	let count = 0;
	function handler(event) {
		if (event.eat) { function f(n) { return f(n + 1) + 1; } return f(0); }
		return { count: ++count };
	}`

// poison makes a guest with the handler above run out of memory.
func poison(t *testing.T, loaded *hyperlight.LoadedJSSandbox) {
	t.Helper()
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"eat":true}`))
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
	require.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
}

// sizes drops from a configuration what a snapshot does not have.
func sizes(config hyperlight.Config) hyperlight.Config {
	config.InterruptRetryDelay, config.InterruptSignalOffset = 0, 0
	return config
}

func TestRestoreBringsTheStateBack(t *testing.T) {
	loaded := loadHandler(t, counter)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
	snapshot := takeSnapshot(t, loaded)
	for range 3 {
		assert.Equal(t, `{"count":2}`, call(t, loaded, `{}`))
		assert.Equal(t, `{"count":3}`, call(t, loaded, `{}`))
		restore(t, loaded, snapshot)
	}
}

func TestRestoreRecoversAPoisonedSandbox(t *testing.T) {
	loaded := loadHandler(t, hungry)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
	snapshot := takeSnapshot(t, loaded)
	for range 2 {
		poison(t, loaded)
		_, err := loaded.Snapshot(t.Context())
		require.ErrorIs(t, err, hyperlight.ErrPoisoned)
		assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
		restore(t, loaded, snapshot)
		assert.Equal(t, `{"count":2}`, call(t, loaded, `{}`))
	}
}

func TestSnapshotsSurviveUnloadAndReload(t *testing.T) {
	loaded := loadHandler(t, counter)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
	old := takeSnapshot(t, loaded)

	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	require.NoError(t, sandbox.AddHandler("other", hyperlight.Script(`function handler() { return "other"; }`)))
	reloaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, reloaded)
	latest := takeSnapshot(t, reloaded)

	restore(t, reloaded, old)
	assert.Equal(t, `{"count":2}`, call(t, reloaded, `{}`))
	_, err = reloaded.HandleEvent(t.Context(), "other", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)

	restore(t, reloaded, latest)
	result, err := reloaded.HandleEvent(t.Context(), "other", []byte(`{}`))
	require.NoError(t, err)
	assert.Equal(t, `"other"`, string(result))
	_, err = reloaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)
}

func TestSnapshotOfASandboxThatIsClosed(t *testing.T) {
	source := loadHandler(t, counter)
	assert.Equal(t, `{"count":1}`, call(t, source, `{}`))
	snapshot := takeSnapshot(t, source)
	require.NoError(t, source.Close())

	target := loadHandler(t, `function handler() { return "mine"; }`)
	restore(t, target, snapshot)
	assert.Equal(t, `{"count":2}`, call(t, target, `{}`))
}

// What unloading restores is the target's own, whatever came before.
func TestUnloadAfterRestoringAnotherSandboxesSnapshot(t *testing.T) {
	source := loadHandler(t, counter, hyperlight.WithHeapSize(12<<20), hyperlight.WithInputBufferSize(64<<10))
	snapshot := takeSnapshot(t, source)
	target := loadHandler(t, counter, hyperlight.WithInterruptRetryDelay(time.Millisecond))
	own := target.Config()
	assert.NotEqual(t, sizes(own), snapshot.Config())

	restore(t, target, snapshot)
	assert.Equal(t, snapshot.Config(), sizes(target.Config()))
	assert.Equal(t, time.Millisecond, target.Config().InterruptRetryDelay, "this is the micro-VM's own")

	sandbox, err := target.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	assert.Equal(t, own, sandbox.Config())
	// The input buffer is the target's again, for scripts and for events.
	long := `"` + strings.Repeat("x", 500<<10) + `"`
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script("const x = "+long+"; function handler(event) { return event.length + x.length; }")))
	reloaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, reloaded)
	assert.Equal(t, own, reloaded.Config())
	assert.Equal(t, fmt.Sprint(1000<<10), call(t, reloaded, long))

	// A snapshot that is restored twice brings its sizes twice.
	restore(t, reloaded, snapshot)
	assert.Equal(t, snapshot.Config(), sizes(reloaded.Config()))
	_, err = reloaded.HandleEvent(t.Context(), "handler", []byte(long))
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	require.ErrorContains(t, err, "the input buffer 65536")
}

func TestSnapshotOfARestoredSandboxHasTheSizesInEffect(t *testing.T) {
	source := loadHandler(t, counter, hyperlight.WithHeapSize(6<<20), hyperlight.WithScratchSize(12<<20),
		hyperlight.WithInputBufferSize(50_001), hyperlight.WithOutputBufferSize(60_001))
	first := takeSnapshot(t, source)
	assert.Equal(t, hyperlight.Config{
		HeapSize: 6 << 20, ScratchSize: 12 << 20, InputBufferSize: 50_001, OutputBufferSize: 60_001,
	}, first.Config())
	target := loadHandler(t, counter)
	restore(t, target, first)
	assert.Equal(t, `{"count":1}`, call(t, target, `{}`))
	assert.Equal(t, first.Config(), takeSnapshot(t, target).Config())
}

func TestRestoreKeepsWhereTheTargetPrints(t *testing.T) {
	var fromSource, fromTarget strings.Builder
	source := loadHandler(t, `function handler() { console.log("hello"); return 1; }`, hyperlight.WithPrint(&fromSource))
	target := loadHandler(t, counter, hyperlight.WithPrint(&fromTarget))
	restore(t, target, takeSnapshot(t, source))
	call(t, target, `{}`)
	assert.Empty(t, fromSource.String())
	assert.Equal(t, "hello\n", fromTarget.String())
}

// Documented, since it surprises: the generator's state is in the guest's memory.
func TestMathRandomRepeatsAfterRestore(t *testing.T) {
	loaded := loadHandler(t, `function handler() { return [Math.random(), Math.random()]; }`)
	snapshot := takeSnapshot(t, loaded)
	first := call(t, loaded, `{}`)
	assert.NotEqual(t, first, call(t, loaded, `{}`))
	restore(t, loaded, snapshot)
	assert.Equal(t, first, call(t, loaded, `{}`))
}

func TestOneSnapshotForManySandboxesAtOnce(t *testing.T) {
	source := loadHandler(t, counter)
	assert.Equal(t, `{"count":1}`, call(t, source, `{}`))
	snapshot := takeSnapshot(t, source)
	const sandboxes, rounds = 8, 5
	var wait sync.WaitGroup
	failures := make([]error, sandboxes)
	for i := range sandboxes {
		target := loadHandler(t, `function handler() { return null; }`)
		wait.Go(func() { failures[i] = restoreAndCall(t.Context(), target, snapshot, rounds) })
	}
	wait.Wait()
	require.NoError(t, errors.Join(failures...))
}

func restoreAndCall(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, snapshot *hyperlight.Snapshot, rounds int) error {
	for range rounds {
		if err := loaded.Restore(ctx, snapshot); err != nil {
			return err
		}
		for _, want := range []string{`{"count":2}`, `{"count":3}`} {
			result, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
			if err != nil {
				return err
			}
			if string(result) != want {
				return fmt.Errorf("%s instead of %s", result, want)
			}
		}
	}
	return nil
}

// Snapshots, restores and calls of one sandbox take turns.
func TestRestoreWaitsForARunningCall(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{})
	leave := sync.OnceFunc(func() { close(left) })
	defer leave() // Should the test fail first, nothing waits for the call for ever.
	loaded := loadWith(t, functions{"wait": func() { close(entered); <-left }}, `
		let count = 0;
		function handler(event) { if (event) host.wait(); return ++count; }`)
	snapshot := takeSnapshot(t, loaded)
	result := make(chan string, 1)
	go func() {
		value, err := loaded.HandleEvent(t.Context(), "handler", []byte(`true`))
		assert.NoError(t, err)
		result <- string(value)
	}()
	<-entered

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, loaded.Restore(ctx, snapshot), context.DeadlineExceeded)
	_, err := loaded.Snapshot(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	leave()
	restore(t, loaded, snapshot)
	assert.Equal(t, `1`, <-result)
	assert.Equal(t, `1`, call(t, loaded, `false`), "the restore came after the call")
}

func TestSnapshotsAreClosedOnce(t *testing.T) {
	loaded := loadHandler(t, counter)
	snapshot := takeSnapshot(t, loaded)
	again := takeSnapshot(t, loaded) // The same one for upstream, with an owner of its own.
	require.NoError(t, errors.Join(snapshot.Close(), snapshot.Close()))

	require.ErrorIs(t, loaded.Restore(t.Context(), snapshot), hyperlight.ErrClosed)
	_, err := snapshot.Save(t.TempDir(), "v1")
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	assert.Zero(t, snapshot.Config())
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())

	restore(t, loaded, again)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
}

// Closing a snapshot that is being restored leaves the restore alone.
func TestCloseASnapshotInUse(t *testing.T) {
	loaded := loadHandler(t, counter)
	first := takeSnapshot(t, loaded)
	for range 20 {
		snapshot, err := loaded.Snapshot(t.Context())
		require.NoError(t, err)
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				if err := loaded.Restore(t.Context(), snapshot); err != nil {
					assert.ErrorIs(t, err, hyperlight.ErrClosed)
				}
			})
		}
		wait.Go(func() { assert.NoError(t, snapshot.Close()) })
		wait.Wait()
		assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		restore(t, loaded, first)
	}
}

func TestSnapshotsThatAreNone(t *testing.T) {
	loaded := loadHandler(t, counter)
	err := loaded.Restore(t.Context(), nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	require.EqualError(t, err, "hyperlight: Restore: the snapshot is nil")
	require.ErrorIs(t, loaded.Restore(t.Context(), new(hyperlight.Snapshot)), hyperlight.ErrClosed)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())

	for name, snapshot := range map[string]*hyperlight.Snapshot{"nil": nil, "zero": new(hyperlight.Snapshot)} {
		t.Run(name, func(t *testing.T) {
			_, err := snapshot.Save(t.TempDir(), "v1")
			require.Error(t, err)
			assert.Zero(t, snapshot.Config())
			assert.NoError(t, snapshot.Close())
		})
	}

	snapshot := takeSnapshot(t, loaded)
	var zero hyperlight.LoadedJSSandbox
	require.ErrorIs(t, zero.Restore(t.Context(), snapshot), hyperlight.ErrClosed)
	_, err = zero.Snapshot(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	//lint:ignore SA1012 a nil context is the point
	require.ErrorIs(t, loaded.Restore(nil, snapshot), hyperlight.ErrInvalidArgument)
}

func TestSnapshotAndRestoreOfASandboxThatIsOver(t *testing.T) {
	loaded := loadHandler(t, counter)
	snapshot := takeSnapshot(t, loaded)
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	_, err = loaded.Snapshot(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrConsumed)
	require.ErrorIs(t, loaded.Restore(t.Context(), snapshot), hyperlight.ErrConsumed)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, loaded.Restore(ctx, snapshot), context.Canceled)
}

// A forgotten snapshot is freed; the sandbox that it was restored into keeps what it needs.
func TestForgottenSnapshots(t *testing.T) {
	loaded := loadHandler(t, counter)
	for range 10 {
		call(t, loaded, `{}`) // So that upstream takes a new one.
		snapshot, err := loaded.Snapshot(t.Context())
		require.NoError(t, err)
		require.NoError(t, loaded.Restore(t.Context(), snapshot))
		runtime.GC()
	}
	assert.Equal(t, `{"count":11}`, call(t, loaded, `{}`))
}
