package hyperlight

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type valueKey struct{}

func TestCallContextIsTheCallers(t *testing.T) {
	deadline := time.Now().Add(time.Hour)
	caller, cancel := context.WithDeadline(context.WithValue(t.Context(), valueKey{}, "value"), deadline)
	defer cancel()
	call := &guestCall{guest: &guest{}, caller: caller}
	ctx := call.context().(*callContext)
	got, ok := ctx.Deadline()
	assert.True(t, ok && got.Equal(deadline))
	assert.Same(t, call, callOf(ctx))
	assert.Nil(t, ctx.inner, "nobody has looked yet")
	assert.Equal(t, "value", ctx.Value(valueKey{}))
	require.NoError(t, ctx.Err())
	cancel()
	<-ctx.Done()
	assert.Equal(t, context.Canceled, ctx.Err())
}

func TestCallContextEndsWithTheCall(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	for name, looksBefore := range map[string]bool{"looked at before": true, "looked at after": false} {
		t.Run(name, func(t *testing.T) {
			call := &guestCall{guest: &guest{}, caller: context.Background()}
			ctx := call.context()
			assert.Same(t, ctx, call.context())
			if looksBefore {
				require.NoError(t, ctx.Err())
			}
			call.finish(first)
			call.finish(second)
			<-ctx.Done()
			assert.Equal(t, context.Canceled, ctx.Err())
			assert.Equal(t, first, context.Cause(ctx))
			child, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			assert.Equal(t, first, context.Cause(child))
		})
	}
}

// To package context it is one of its own: contexts made from it take no goroutine to watch it.
func TestCallContextNeedsNoGoroutine(t *testing.T) {
	call := &guestCall{guest: &guest{}, caller: t.Context()}
	before := runtime.NumGoroutine()
	for range 10 {
		_, cancel := context.WithCancel(call.context())
		defer cancel()
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestCallOf(t *testing.T) {
	g := &guest{}
	outer := &guestCall{guest: g, caller: context.Background()}
	inner := &guestCall{guest: g, caller: context.WithValue(outer.context(), valueKey{}, 1)}
	assert.Nil(t, callOf(context.Background()))
	assert.Same(t, inner, callOf(context.WithoutCancel(inner.context())))
	assert.Same(t, outer, callOf(inner.caller))

	assert.False(t, g.waitsForContext(inner.context()), "no call runs")
	for call, waits := range map[*guestCall]bool{inner: true, outer: true, {caller: inner.caller}: false} {
		g.call.Store(call)
		assert.Equal(t, waits, g.waitsForContext(inner.context()))
		assert.False(t, g.waitsForContext(context.Background()))
	}
	assert.False(t, (*guest)(nil).waitsForContext(inner.context()))
}
