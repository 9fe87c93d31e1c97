package hyperlight

import (
	"context"
	"errors"
	"time"
)

// callContext is the context of a host function: the caller's, which also ends with the call, and knows that it is
// in it. Most functions never look at it, so what is behind it is made when the first does.
type callContext struct{ call *guestCall }

// callKey is where the call is found in a callContext, and in contexts made from it.
type callKey struct{}

// errCallOver is why the context of a host function ends when nothing else has ended it.
var errCallOver = errors.New("the call that this context was for is over")

func (c callContext) Deadline() (time.Time, bool) { return c.call.caller.Deadline() }
func (c callContext) Done() <-chan struct{}       { return c.call.context().Done() }
func (c callContext) Err() error                  { return c.call.context().Err() }

func (c callContext) Value(key any) any {
	if key == (callKey{}) {
		return c.call
	}
	return c.call.context().Value(key)
}

// callOf is the call for whose host function ctx was made, the innermost, or nil.
func callOf(ctx context.Context) *guestCall {
	call, _ := ctx.Value(callKey{}).(*guestCall)
	return call
}

// context is what is behind callContext.
func (c *guestCall) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithCancelCause(c.caller)
		if c.over != nil {
			c.cancel(c.over)
		}
	}
	return c.inner
}

// finish ends the context of host functions. The first reason counts.
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
