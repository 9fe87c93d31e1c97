package hyperlight

import (
	"context"
	"fmt"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// contextMonitor is what the native side calls a context where it names what stopped a guest.
const contextMonitor = "context"

// stopper stops the guest of one micro-VM for contexts. The native side sees to it that a stop is never
// lost, whenever in a call it comes, and that none reaches a call that begins after its reset.
type stopper struct{ native capi.Context }

func newStopper() (*stopper, *capi.Error) {
	native, err := capi.ContextNew()
	if err != nil {
		return nil, err
	}
	s := &stopper{native}
	runtime.AddCleanup(s, capi.ContextFree, native)
	return s, nil
}

// watch is a call that is stopped when its context ends.
type watch struct {
	release func() bool   // false: it has ended
	stopped chan struct{} // closed once the call was stopped for it
}

// watch stops the guest when ctx ends. The result is nil for a context that never does.
func (s *stopper) watch(ctx context.Context) *watch {
	if ctx.Done() == nil {
		return nil
	}
	w := &watch{stopped: make(chan struct{})}
	w.release = context.AfterFunc(ctx, func() {
		defer close(w.stopped)
		s.stop()
	})
	return w
}

// unwatch is called after the call. Nothing of the watch is left for the next one.
func (s *stopper) unwatch(w *watch) {
	if w == nil || w.release() {
		return
	}
	<-w.stopped
	_ = capi.ContextReset(s.native) // It cannot fail: the context is valid.
	runtime.KeepAlive(s)
}

// stop returns once the guest has stopped, or waits for Go.
func (s *stopper) stop() {
	_ = capi.ContextCancel(s.native) // It cannot fail: the context is valid.
	runtime.KeepAlive(s)
}

// causeOf is how a context ended: its error and, if there is one beside that, its cause.
func causeOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || cause == err {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
