package soak_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// pools are what hostile callers acquire from, release to, and close. A lease that a call returns is released at once,
// so that nobody waits for ever.
type pools struct {
	open   *hyperlight.Pool
	lease  *hyperlight.Lease // of the open pool, since Close of the other one may wait for all of its leases for ever
	ending *hyperlight.Pool  // which may be closed at any time
}

func newPools(t *testing.T) pools {
	t.Helper()
	p := pools{open: newSmallPool(t, 2), ending: newSmallPool(t, 2)}
	var err error
	p.lease, err = p.open.Acquire(t.Context())
	require.NoError(t, err)
	return p
}

func newSmallPool(t *testing.T, size int) *hyperlight.Pool {
	t.Helper()
	pool, err := hyperlight.NewPool(t.Context(), hyperlight.Template{
		Options: []hyperlight.Option{hyperlight.WithUpstreamDefaults()},
		Add:     func(s *hyperlight.JSSandbox) error { return s.AddHandler("handler", hyperlight.Script(counter)) },
	}, hyperlight.PoolSize(size))
	require.NoError(t, err)
	return pool
}

// addTo adds what may be done to them.
func (p pools) addTo(o *objects) {
	o.addMethods("open pool", reflect.ValueOf(p.open))
	delete(o.callables, "open pool.Close")
	o.addMethods("ending pool", reflect.ValueOf(p.ending))
	o.addMethods("live lease", reflect.ValueOf(p.lease))
}

// check finds the open pool with all its sandboxes, and closes both.
func (p pools) check(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p.lease.Release()
	first, err := p.open.Acquire(ctx)
	require.NoError(t, err)
	second, err := p.open.Acquire(ctx)
	require.NoError(t, err)
	stats := p.open.Stats()
	assert.Equal(t, 2, stats.InUse)
	assert.Zero(t, stats.Waiting)

	waited, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := p.open.Acquire(ctx)
		waited <- err
	}()
	go func() { closed <- p.open.Close(ctx) }()
	require.ErrorIs(t, <-waited, hyperlight.ErrClosed)
	for _, lease := range []*hyperlight.Lease{first, second} {
		result, err := lease.HandleEvent(ctx, "handler", []byte("{}"))
		require.NoError(t, err, "who has one may use it")
		assert.Equal(t, "1", string(result))
		assert.Empty(t, closed, "Close waits for who has one")
		lease.Release()
	}
	require.NoError(t, <-closed)

	require.NoError(t, p.ending.Close(ctx))
	_, err = p.ending.Acquire(ctx)
	require.ErrorIs(t, err, hyperlight.ErrClosed)
}
