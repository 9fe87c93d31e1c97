package hyperlight

import (
	"context"
	"fmt"
	"runtime"
	"sync"

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

// watch has a call stopped when its context ends. Its zero value does nothing.
type watch struct {
	done    <-chan struct{} // of the context; asked for once, since contexts may be the user's own code
	release func() bool     // false: the context has ended
	stopped sync.WaitGroup
}

// watch stops the guest when ctx ends, until unwatch.
func (s *stopper) watch(ctx context.Context, w *watch) {
	if w.done = ctx.Done(); w.done == nil {
		return
	}
	w.stopped.Add(1)
	w.release = context.AfterFunc(ctx, func() {
		defer w.stopped.Done()
		s.stop()
	})
}

// settle waits, if the context has ended, until the guest was stopped for it.
func (w *watch) settle() {
	select {
	case <-w.done:
		w.stopped.Wait()
	default:
	}
}

// unwatch is called after the call. Nothing of the watch is left for the next one.
func (s *stopper) unwatch(w *watch) {
	if w.release == nil || w.release() {
		return
	}
	w.stopped.Wait()
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
