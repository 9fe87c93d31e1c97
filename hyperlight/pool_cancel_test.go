package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestAcquireEndsWithItsContext(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	lease := acquire(t, pool)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := pool.Acquire(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.EqualError(t, err, "hyperlight: Pool.Acquire: no sandbox of the pool became free: context deadline exceeded")
	assert.Zero(t, pool.Stats().Waiting)
	lease.Release()
	assert.Equal(t, "1", poolCall(t, pool, "null"))
}

// A sandbox that arrives just as the context ends is not lost.
func TestNoSandboxIsLostToACancellation(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	var lost, won int
	for range 500 {
		lease := acquire(t, pool)
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error)
		go func() {
			lease, err := pool.Acquire(ctx)
			lease.Release()
			got <- err
		}()
		waiting(t, pool, 1)
		var group sync.WaitGroup
		group.Go(cancel)
		group.Go(lease.Release)
		err := <-got
		group.Wait()
		if err == nil {
			won++
		} else {
			require.ErrorIs(t, err, context.Canceled)
			lost++
		}
		stats := pool.Stats()
		require.Equal(t, 1, stats.Idle, "%d won, %d lost", won, lost)
	}
}

// Whatever is cancelled when, each sandbox is in one place, and serves whoever comes next.
func TestRandomCancellations(t *testing.T) {
	const size, callers, rounds = 3, 8, 60
	source := newSources(func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if rand.N(3) == 0 {
			return ctx.Err() // Often nil, which makes it a source that adds nothing.
		}
		return countsFor(ctx, key, s)
	})
	pool := newPool(t, small(lasting), hyperlight.PoolSize(size),
		hyperlight.PoolTenants(source.add, hyperlight.TenantLimits{Tenants: 2, Retry: time.Millisecond}))
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range rounds {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(6*time.Millisecond))
				key := fmt.Sprint(rand.N(4))
				err := cancellable(ctx, pool, key)
				if err != nil && !errors.Is(err, hyperlight.ErrNoHandlers) && !errors.Is(err, hyperlight.ErrCancelled) {
					assert.ErrorIs(t, err, context.DeadlineExceeded)
				}
				cancel()
				if rand.N(20) == 0 {
					pool.Forget(key)
				}
			}
		})
	}
	group.Wait()
	allIdle(t, pool)
	stats := pool.Stats()
	assert.Zero(t, stats.InUse+stats.Restoring+stats.Booting)
	leases := make([]*hyperlight.Lease, size)
	for i := range leases {
		leases[i] = acquire(t, pool)
		assert.Equal(t, "1", poolCall(t, leases[i], "null"))
	}
	for _, lease := range leases {
		lease.Release()
	}
}

// cancellable does one of the things that a context may end, or has to.
func cancellable(ctx context.Context, pool *hyperlight.Pool, key string) error {
	switch rand.N(5) {
	case 0:
		lease, err := pool.Acquire(ctx)
		lease.Release()
		return err
	case 1:
		lease, err := pool.AcquireTenant(ctx, key)
		if err == nil {
			_, err = lease.HandleEvent(ctx, "handler", []byte("null"))
		}
		lease.Release()
		return err
	case 2:
		_, err := pool.HandleEvent(ctx, "handler", []byte("null"))
		return err
	case 3:
		_, err := pool.HandleEvent(ctx, "handler", []byte(`{"loop":true}`))
		return err
	default:
		_, err := pool.HandleTenantEvent(ctx, key, "handler", []byte("null"))
		return err
	}
}
