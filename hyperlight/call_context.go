package hyperlight

import (
	"context"
	"errors"
	"sync"
	"time"
)

// callContext is the context of a call's host functions: the caller's, which also ends with the call, and knows that
// it is in it. Most functions never look at it, so what is behind it is made when the first does.
type callContext struct {
	call *guestCall

	mu     sync.Mutex
	inner  context.Context
	cancel context.CancelCauseFunc
	over   error // why inner has ended, or ends as soon as it is made
}

// callKey is where the call is found in a callContext, and in contexts made from it.
type callKey struct{}

// errCallOver is why the context of a host function ends when nothing else has ended it.
var errCallOver = errors.New("the call that this context was for is over")

// callOf is the call for whose host function ctx was made, the innermost, or nil.
func callOf(ctx context.Context) *guestCall {
	call, _ := ctx.Value(callKey{}).(*guestCall)
	return call
}

func (c *callContext) Deadline() (time.Time, bool) { return c.call.caller.Deadline() }
func (c *callContext) Done() <-chan struct{}       { return c.behind().Done() }
func (c *callContext) Err() error                  { return c.behind().Err() }

func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c.call
	}
	return c.behind().Value(key)
}

func (c *callContext) behind() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithCancelCause(c.call.caller)
		if c.over != nil {
			c.cancel(c.over)
		}
	}
	return c.inner
}

// finish ends it. The first reason counts.
func (c *callContext) finish(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == nil {
		c.over = why
	}
	if c.cancel != nil {
		c.cancel(c.over)
	}
}
