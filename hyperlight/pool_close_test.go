package hyperlight_test

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// tracked is a writer that closes a channel once nothing refers to it any more: all micro-VMs that print to it are
// gone.
func tracked(freed chan struct{}) io.Writer {
	writer := &dropped{io.Discard}
	runtime.AddCleanup(writer, func(c chan struct{}) { close(c) }, freed)
	return writer
}

// collected waits until a tracked writer is gone.
func collected(t *testing.T, freed chan struct{}) {
	t.Helper()
	eventually(t, func() bool {
		runtime.GC()
		select {
		case <-freed:
			return true
		default:
			return false
		}
	}, "nothing is left")
}

func TestCloseOfAPoolDrains(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(2))
	lease, other := acquire(t, pool), acquire(t, pool)
	waits := make(chan error)
	go func() {
		_, err := pool.Acquire(t.Context())
		waits <- err
	}()
	waiting(t, pool, 1)
	closed := make(chan error, 2)
	for range 2 {
		go func() { closed <- pool.Close(context.Background()) }()
	}
	require.ErrorIs(t, <-waits, hyperlight.ErrClosed)
	_, err := pool.Acquire(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	require.EqualError(t, err, "hyperlight: Pool.Acquire: the pool is closed")
	_, err = pool.HandleEvent(t.Context(), "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	other.Release()
	assert.Equal(t, "1", poolCall(t, lease, "null"), "who has one may use it")
	assert.Empty(t, closed)
	lease.Release()
	require.NoError(t, <-closed)
	require.NoError(t, <-closed)
	require.NoError(t, pool.Close(t.Context()))
	pool.Forget("x")
}

func TestCloseOfAPoolThatTakesTooLong(t *testing.T) {
	gate := newGate()
	pool := newPool(t, small(prints, hyperlight.WithPrint(gate)), hyperlight.PoolSize(2))
	unused, lease := acquire(t, pool), acquire(t, pool)
	result := make(chan error, 1)
	go func() {
		_, err := lease.HandleEvent(context.Background(), "handler", []byte("null"))
		result <- err
	}()
	<-gate.arrived
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := pool.Close(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "some of the pool's sandboxes were in use")
	_, err = unused.HandleEvent(t.Context(), "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	close(gate.proceed)
	<-result
	_, err = lease.HandleEvent(t.Context(), "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	unused.Release()
	lease.Release()
	require.NoError(t, pool.Close(t.Context()), "by now nothing is left")
}

func TestCloseOfAPoolByItsOwnFunction(t *testing.T) {
	var pool *hyperlight.Pool
	template := withFunctions(small(`
		import * as host from "host";
		function handler() { host.close(); return 1; }`),
		functions{"close": func(ctx context.Context) error { return pool.Close(ctx) }})
	pool = newPool(t, template, hyperlight.PoolSize(1))
	_, err := pool.HandleEvent(t.Context(), "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrReentrant)
	acquire(t, pool).Release() // Nothing was closed.
}

// Close comes while everything else goes on.
func TestCloseOfABusyPool(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		pool, err := hyperlight.NewPool(t.Context(), hyperlight.Template{
			Options: []hyperlight.Option{hyperlight.WithUpstreamDefaults()},
		}, hyperlight.PoolSize(2), hyperlight.PoolTenants(countsFor, hyperlight.TenantLimits{Tenants: 1}))
		require.NoError(t, err)
		var group sync.WaitGroup
		started := make(chan struct{}, 100)
		for i := range 6 {
			group.Go(func() {
				for {
					key := string(rune('a' + i%3))
					_, err := pool.HandleTenantEvent(context.Background(), key, "handler", []byte("null"))
					if err != nil {
						assert.ErrorIs(t, err, hyperlight.ErrClosed)
						return
					}
					select {
					case started <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 10 {
			<-started
		}
		pool.Forget("a")
		require.NoError(t, pool.Close(context.Background()))
		group.Wait()
		stats := pool.Stats()
		assert.Zero(t, stats.Idle+stats.InUse+stats.Restoring+stats.Booting+stats.Waiting+stats.Tenants)
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "its goroutines end")
	}
}

func TestForgottenPoolIsClosed(t *testing.T) {
	freed := make(chan struct{})
	func() {
		template := small(lasting, hyperlight.WithPrint(tracked(freed)))
		pool, err := hyperlight.NewPool(t.Context(), template, hyperlight.PoolSize(2))
		require.NoError(t, err)
		assert.Equal(t, "1", poolCall(t, pool, "null"))
		lease, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "1", poolCall(t, lease, "null"))
	}()
	collected(t, freed)
}

// A lease keeps its pool alive.
func TestForgottenPoolWithALease(t *testing.T) {
	lease := func() *hyperlight.Lease {
		pool, err := hyperlight.NewPool(t.Context(), small(lasting), hyperlight.PoolSize(1))
		require.NoError(t, err)
		return acquire(t, pool)
	}()
	for range 5 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	assert.Equal(t, "1", poolCall(t, lease, "null"))
	assert.Equal(t, "2", poolCall(t, lease, "null"))
}

// A pool that cannot boot does not stay alive by trying.
func TestForgottenPoolThatBoots(t *testing.T) {
	freed := make(chan struct{})
	func() {
		boots := 0
		template := unrecoverable(func(*hyperlight.ProtoJSSandbox) error {
			if boots++; boots > 1 {
				return assert.AnError
			}
			return nil
		})
		template.Options = append(template.Options, hyperlight.WithPrint(tracked(freed)))
		pool, err := hyperlight.NewPool(t.Context(), template, hyperlight.PoolSize(1))
		require.NoError(t, err)
		_, err = pool.HandleEvent(t.Context(), "handler", []byte(deadly))
		require.ErrorIs(t, err, hyperlight.ErrGuestAborted)
		eventually(t, func() bool { return pool.Stats().FailedBoots > 0 })
	}()
	collected(t, freed)
}

// Why a context ended is told by Close, too.
func TestCloseOfAPoolTellsTheCause(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	lease := acquire(t, pool)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(assert.AnError)
	err := pool.Close(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, assert.AnError)
	lease.Release()
}

// A context that outlives its call, as one without cancellation does, is nobody's reason not to wait.
func TestPoolIsUsedAfterACallWithItsContext(t *testing.T) {
	var kept context.Context
	template := withFunctions(small(`
		import * as host from "host";
		function handler(event) { if (event) host.keep(); return 1; }`),
		functions{"keep": func(ctx context.Context) { kept = context.WithoutCancel(ctx) }})
	pool := newPool(t, template, hyperlight.PoolSize(1))
	assert.Equal(t, "1", poolCall(t, pool, "true"))
	lease := acquire(t, pool)
	result := make(chan error, 1)
	go func() {
		_, err := pool.HandleEvent(kept, "handler", []byte("false"))
		result <- err
	}()
	eventually(t, func() bool { return pool.Stats().Waiting == 1 || len(result) > 0 })
	lease.Release()
	require.NoError(t, <-result)
	require.NoError(t, pool.Close(kept))
}
