package hyperlight

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Without a provider there is nothing to pay for.
func TestNoSpansCostNothing(t *testing.T) {
	g := &guest{}
	f := &hostFunction{guest: g}
	i := &InterruptHandle{guest: g}
	o := &callOptions{}
	err := errors.New("failed")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		ctx, span := g.startSpan(context.Background(), spanLoad)
		_ = span.end(err)
		ctx, span = g.startCallSpan(ctx, spanHandleEvent, "handler")
		span.call(o)
		span.took(ExecutionStats{})
		span.after(nil)
		_ = span.end(err)
		_, span = f.startSpan(ctx)
		f.endSpan(span, nil)
		i.startSpan().endKill(true)
	}))
}
