package hyperlight

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Where the thread that repeats interrupts cannot be started there are no sandboxes, since every call can be
// interrupted. Natively a call needs it only if something may interrupt it. This is a process of its own, in which no
// thread of the native library gets its stack.
func TestNoThread(t *testing.T) {
	const variable = "HYPERLIGHT_TEST_NO_THREAD"
	if os.Getenv(variable) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestNoThread$", "-test.v")
		child.Env = append(os.Environ(), variable+"=1", "RUST_MIN_STACK=1152921504606846976")
		output, err := child.CombinedOutput()
		require.NoError(t, err, string(output))
		require.Contains(t, string(output), "--- PASS: TestNoThread")
		return
	}
	const reason = "Resource temporarily unavailable (os error 11)"
	const noThread = "the thread that interrupts guests failed to start: " + reason
	for range 2 {
		_, err := New()
		require.ErrorIs(t, err, ErrHostResources)
		assert.EqualError(t, err, "hyperlight: New: "+noThread+
			" (close sandboxes and snapshots, or raise the limits of this process)")
	}

	loaded := loadNatively(t)
	answers := func(monitors ...capi.Monitor) *capi.Error {
		_, err := capi.LoadedSandboxHandleEvent(loaded, "handler", []byte("{}"), false, monitors, capi.Context{}, nil)
		return err
	}
	limit, failure := capi.MonitorNewWallClock(uint64(time.Hour))
	require.Nil(t, failure)
	defer capi.MonitorFree(limit)
	failure = answers(limit)
	require.NotNil(t, failure)
	assert.Equal(t, capi.CodeMonitorFailedToStart, failure.Code)
	assert.Equal(t, "Execution monitor failed to start: "+reason, failure.Message)
	_, failure = capi.LoadedSandboxInterruptHandle(loaded)
	require.NotNil(t, failure)
	assert.Equal(t, &capi.Error{Code: capi.CodeHostResources, Message: noThread}, failure)
	assert.Nil(t, answers(), "nothing interrupts this one")
}

// loadNatively loads a handler without what this package puts around it.
func loadNatively(t *testing.T) capi.LoadedSandbox {
	t.Helper()
	_, failure := Library()
	require.NoError(t, failure)
	builder, err := capi.BuilderNew()
	require.Nil(t, err)
	defer capi.BuilderFree(builder)
	proto, err := capi.BuilderBuild(builder)
	require.Nil(t, err)
	defer capi.ProtoSandboxFree(proto)
	sandbox, err := capi.ProtoSandboxLoadRuntime(proto)
	require.Nil(t, err)
	defer capi.SandboxFree(sandbox)
	require.Nil(t, capi.SandboxAddHandler(sandbox, "handler", "function handler(event) { return event; }", ""))
	loaded, err := capi.SandboxGetLoadedSandbox(sandbox, capi.Context{}, nil)
	require.Nil(t, err)
	t.Cleanup(func() { capi.LoadedSandboxFree(loaded) })
	return loaded
}
