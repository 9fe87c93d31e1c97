//go:build linux && amd64

package soak_test

import (
	"context"
	"log/slog"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const noThread = "Resource temporarily unavailable (os error 11)"

// withoutThreads runs f where the native library gets no threads; Go's come from elsewhere. What f uses, prepare makes.
func withoutThreads(t *testing.T, prepare, f func(*testing.T)) {
	t.Helper()
	t.Run("without threads", func(thread *testing.T) {
		runtime.LockOSThread()
		prepare(t)
		refuse(thread, refusal{call: unix.SYS_CLONE, err: unix.EAGAIN}, refusal{call: unix.SYS_CLONE3, err: unix.EAGAIN})
		f(t)
	})
}

// Where no thread can be started, what needs one fails; when one can, it works.
func TestNoThreads(t *testing.T) {
	if !inChild(t) {
		return
	}
	withoutThreads(t, func(*testing.T) {}, func(t *testing.T) {
		for range 2 {
			_, err := hyperlight.New()
			require.ErrorIs(t, err, hyperlight.ErrHostResources)
			assert.EqualError(t, err, "hyperlight: New: the thread that interrupts guests failed to start: "+noThread+
				" (close sandboxes and snapshots, or raise the limits of this process)")
		}
	})
	var loaded *hyperlight.LoadedJSSandbox
	withoutThreads(t, func(t *testing.T) { loaded = counted(t).loaded }, func(t *testing.T) {
		for range 2 {
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte("{}"), hyperlight.WithMonitors(hyperlight.WallClock(time.Minute)))
			require.ErrorIs(t, err, hyperlight.ErrMonitorFailedToStart)
			assert.EqualError(t, err, "hyperlight: HandleEvent: Monitor runtime is unavailable: "+noThread)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		}
		logs, err := hyperlight.ForwardLogs(slog.New(slog.DiscardHandler))
		require.NoError(t, err, "they need none")
		require.NoError(t, logs.Stop(t.Context()))
	})
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte("{}"), hyperlight.WithMonitors(hyperlight.WallClock(time.Minute)))
	require.NoError(t, err)
	assert.Equal(t, "2", string(result))
	require.NoError(t, live(t.Context(), t.TempDir()))
}

// Without the threads that monitors are to have, calls with monitors do not run, and say so; others do, and contexts
// still stop them.
func TestNoMonitors(t *testing.T) {
	if !inChild(t, func(child *exec.Cmd) { child.Env = append(child.Env, "HYPERLIGHT_MONITOR_THREADS=1000000000") }) {
		return
	}
	loaded := load(t, nil, `let count = 0; function handler(endless) { while (endless); return ++count; }`)
	clean := snapshot(t, loaded)
	for range 2 {
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte("true"), hyperlight.WithMonitors(hyperlight.WallClock(time.Minute)))
		require.ErrorIs(t, err, hyperlight.ErrMonitorFailedToStart)
		assert.EqualError(t, err, "hyperlight: HandleEvent: Monitor runtime is unavailable: HYPERLIGHT_MONITOR_THREADS is 1000000000, more than 1024")
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	}
	assert.Equal(t, "1", call(t, loaded, "false"))

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := loaded.HandleEvent(ctx, "handler", []byte("true"))
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, loaded.Restore(t.Context(), clean))
	assert.Equal(t, "1", call(t, loaded, "false"))
}
