package hyperlight

import (
	"context"
	"errors"
	"sync"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// guestCall is one stay in the guest: a handler's call, or the evaluation of top-level code by Load.
type guestCall struct {
	guest  *guest
	caller context.Context // what the caller gave
	watch  *watch
	output output

	batch    capi.LoadedSandbox // who knows which event runs, if there may be many
	failures []eventFailures

	mu     sync.Mutex
	inner  context.Context // what host functions get, once one was called
	cancel context.CancelCauseFunc
	over   error // why inner has ended, or ends as soon as it is made
}

// errCallOver is why the context of a host function ends when nothing else has ended it.
var errCallOver = errors.New("the call that this context was for is over")

// currentEvent is the index of the event that runs, if the call is a batch; else it is 0.
func (c *guestCall) currentEvent() (index uint64, ofBatch bool) {
	if c.batch == (capi.LoadedSandbox{}) {
		return 0, false
	}
	return capi.LoadedSandboxCurrentEvent(c.batch), true
}

// context is what host functions get: the caller's, which also ends with the call, and knows that it is in it.
func (c *guestCall) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		ctx, cancel := context.WithCancelCause(c.caller)
		c.inner, c.cancel = &callContext{ctx, c}, cancel
		if c.over != nil {
			cancel(c.over)
		}
	}
	return c.inner
}

// finish ends the context that host functions get.
func (c *guestCall) finish(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == nil {
		c.over = why
	}
	if c.cancel != nil {
		c.cancel(c.over)
	}
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
