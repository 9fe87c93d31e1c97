package hyperlight

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// A context that ends when its call's turn has come, but before the guest runs: it does not run, and nothing is lost.
func TestContextEndsBetween(t *testing.T) {
	proto, err := New()
	require.NoError(t, err)
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", Script(`let calls = 0; function handler() { return ++calls; }`)))
	g := sandbox.guest
	refused := func(op string, native func() *capi.Error) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		call := g.enter(ctx, printing{})
		cancel()
		call.settle()
		failure := native()
		g.leave(call)
		err := call.explain(op, failure)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ErrCancelled)
		assert.EqualError(t, err, "hyperlight: "+op+": the guest did not run: context canceled")
	}

	refused("Load", func() *capi.Error {
		_, failure := capi.SandboxGetLoadedSandbox(sandbox.h.native, g.stopper.native, nil)
		return failure
	})
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err, "it was not consumed")
	defer loaded.Close()
	refused("HandleEvent", func() *capi.Error {
		_, failure := capi.LoadedSandboxHandleEvent(loaded.h.native, "handler", []byte("{}"), false, nil, g.stopper.native, nil)
		return failure
	})
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte("{}"))
	require.NoError(t, err, "it was not poisoned")
	assert.Equal(t, "1", string(result), "it did not run")
}

// Nothing runs in a guest whose sandbox was closed, though a context that ended at the same time makes room for calls
// of others.
func TestClosedGuestStaysStopped(t *testing.T) {
	native := loadNatively(t)
	g, failure := newGuest(Config{}, printing{}, false)
	require.Nil(t, failure)
	ctx, cancel := context.WithCancel(t.Context())
	call := g.enter(ctx, printing{})
	cancel()
	call.settle()
	g.close()
	g.close()
	<-g.stopped
	g.leave(call)
	for range 2 {
		call = g.enter(t.Context(), printing{})
		assert.Equal(t, errSandboxClosed, context.Cause(call.context()))
		_, failure = capi.LoadedSandboxHandleEvent(native, "handler", []byte("{}"), false, nil, g.stopper.native, nil)
		g.leave(call)
		require.NotNil(t, failure)
		assert.Equal(t, capi.CodeContextCancelled, failure.Code)
		require.ErrorIs(t, call.explain("HandleEvent", failure), ErrClosed)
	}
}

// The native context goes with the guest.
func TestStopperOfAForgottenGuestIsFreed(t *testing.T) {
	_, err := Library()
	require.NoError(t, err)
	freed := make(chan struct{})
	func() {
		g, failure := newGuest(Config{}, printing{}, false)
		require.Nil(t, failure)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		g.leave(g.enter(ctx, printing{}))
		runtime.AddCleanup(g.stopper, func(c chan struct{}) { close(c) }, freed)
	}()
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
