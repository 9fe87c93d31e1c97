package hyperlight

import (
	"context"
	"sync/atomic"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// guestCall is one stay in the guest: a handler's call, or the evaluation of top-level code by Load.
type guestCall struct {
	guest  *guest
	caller context.Context // what the caller gave
	watch  watch
	output output
	guard  capi.Guard // of what the guest calls

	batch    capi.LoadedSandbox // who knows which event runs, if there may be many
	failures []eventFailures

	given atomic.Pointer[callContext] // what host functions get, once one was called
}

// currentEvent is the index of the event that runs, if the call is a batch; else it is 0.
func (c *guestCall) currentEvent() (index uint64, ofBatch bool) {
	if c.batch == (capi.LoadedSandbox{}) {
		return 0, false
	}
	return capi.LoadedSandboxCurrentEvent(c.batch), true
}

// context is what a host function gets.
func (c *guestCall) context() context.Context {
	ctx := c.given.Load()
	if ctx == nil {
		ctx = &callContext{call: c}
		c.given.Store(ctx)
		if c.guest.closed.Load() {
			ctx.finish(errSandboxClosed)
		}
	}
	return ctx
}

// finish ends the context of host functions.
func (c *guestCall) finish(why error) {
	if ctx := c.given.Load(); ctx != nil {
		ctx.finish(why)
	}
}

// settle returns once the guest is sure to be stopped, if it is to be: the goroutine that stops it may be late. So
// what a user's function does about the end of its context never changes how the call ends.
func (c *guestCall) settle() {
	c.watch.settle()
	if c.guest.closed.Load() {
		<-c.guest.stopped
	}
}

// ended says why the guest is to be stopped, or nil.
func (c *guestCall) ended() error {
	if c.guest.closed.Load() {
		return errSandboxClosed
	}
	return causeOf(c.caller)
}

// explain makes of the error of a call one that says what only Go knows: that the sandbox was closed, how the
// context ended, what a host function or a file system returned. nil stays nil.
func (c *guestCall) explain(op string, native *capi.Error) error {
	return c.explainEvent(op, native, 0)
}

// explainEvent is explain for one event of many.
func (c *guestCall) explainEvent(op string, native *capi.Error, event uint64) error {
	if native == nil {
		return nil
	}
	refused := native.Code == capi.CodeContextCancelled
	stopped := native.Code == capi.CodeCancelled && native.Monitor == contextMonitor
	switch {
	case !refused && !stopped:
		failures := c.failuresOf(event)
		return failures.explainModule(failures.explainHost(nativeError(op, native)))
	case c.guest.closed.Load():
		return &Error{Op: op, Code: CodeClosed, Message: "the sandbox was closed, which stopped the guest"}
	case refused:
		return contextError(op, c.caller)
	}
	err := newError(op, native)
	err.cause = causeOf(c.caller)
	return err
}
