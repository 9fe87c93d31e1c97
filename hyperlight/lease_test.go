package hyperlight_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestReleasedLeases(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	lease := acquire(t, pool)
	assert.Equal(t, "1", poolCall(t, lease, "null"))
	lease.Release()
	lease.Release()
	assert.Equal(t, 0, pool.Stats().InUse)
	next := acquire(t, pool)
	lease.Release()
	assert.Equal(t, 1, pool.Stats().InUse, "the sandbox is another lease's now")
	var stats hyperlight.ExecutionStats
	_, err := lease.HandleEvent(t.Context(), "handler", []byte("null"), hyperlight.WithStats(&stats))
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	assert.EqualError(t, err, "hyperlight: Lease.HandleEvent: the lease was released")
	_, ok := lease.LastCallStats()
	assert.False(t, ok)
	assert.Equal(t, "1", poolCall(t, next, "null"))
	next.Release()
}

func TestLeasesThatAreNone(t *testing.T) {
	for name, lease := range map[string]*hyperlight.Lease{"nil": nil, "zero": new(hyperlight.Lease)} {
		t.Run(name, func(t *testing.T) {
			_, err := lease.HandleEvent(t.Context(), "handler", []byte("null"))
			require.ErrorIs(t, err, hyperlight.ErrClosed)
			_, ok := lease.LastCallStats()
			assert.False(t, ok)
			_, ok = lease.Tenant()
			assert.False(t, ok)
			lease.Release()
		})
	}
}

// What is told of calls is told of the lease's own.
func TestLeaseStatistics(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolPolicy(hyperlight.KeepState))
	assert.Equal(t, "1", poolCall(t, pool, "null"))
	lease := acquire(t, pool)
	_, ok := lease.LastCallStats()
	assert.False(t, ok, "that call was another one's")
	_, err := lease.HandleEvent(t.Context(), "handler", []byte("{"))
	require.ErrorIs(t, err, hyperlight.ErrInvalidJSON)
	_, ok = lease.LastCallStats()
	assert.False(t, ok, "nothing ran")
	var stats hyperlight.ExecutionStats
	assert.Equal(t, "2", poolCall(t, lease, "null", hyperlight.WithStats(&stats)))
	last, ok := lease.LastCallStats()
	assert.True(t, ok)
	assert.Equal(t, stats, last)
	_, err = lease.HandleEvent(t.Context(), "handler", []byte(`{"fail":true}`))
	require.Error(t, err)
	last, ok = lease.LastCallStats()
	assert.True(t, ok)
	assert.NotEqual(t, stats, last)
	//lint:ignore SA1012 a nil context is the point
	_, err = lease.HandleEvent(nil, "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	lease.Release()
}

// Release does not wait: the call that runs, and those that wait for their turn, go first.
func TestReleaseDuringACall(t *testing.T) {
	gate := newGate()
	pool := newPool(t, small(prints, hyperlight.WithPrint(gate)), hyperlight.PoolSize(1))
	lease := acquire(t, pool)
	results := make(chan error)
	for range 2 {
		go func() {
			_, err := lease.HandleEvent(context.Background(), "handler", []byte("null"))
			results <- err
		}()
	}
	<-gate.arrived
	// The second call either waits for its turn by now, or comes too late.
	lease.Release()
	_, err := lease.HandleEvent(t.Context(), "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	assert.Equal(t, 1, pool.Stats().InUse)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = pool.Acquire(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	gate.proceed <- struct{}{}
	go func() {
		for range gate.arrived {
			gate.proceed <- struct{}{}
		}
	}()
	for range 2 {
		if err := <-results; err != nil {
			require.ErrorIs(t, err, hyperlight.ErrClosed)
		}
	}
	assert.Equal(t, "1", poolCall(t, pool, "null"))
	close(gate.arrived)
}

func TestForgottenLeaseIsReleased(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	func() {
		lease, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "1", poolCall(t, lease, "null"))
		assert.Equal(t, "2", poolCall(t, lease, "null"))
	}()
	eventually(t, func() bool {
		runtime.GC()
		return pool.Stats().Idle == 1
	})
	assert.Equal(t, "1", poolCall(t, pool, "null"))
}

// A lease is one sandbox, however many goroutines use it.
func TestLeaseHammer(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(2))
	for range 5 {
		lease := acquire(t, pool)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 10 {
					_, err := lease.HandleEvent(t.Context(), "handler", []byte("null"), hyperlight.WithGC(false))
					if err != nil {
						assert.ErrorIs(t, err, hyperlight.ErrClosed)
					}
					lease.LastCallStats()
				}
			})
		}
		group.Go(lease.Release)
		group.Go(lease.Release)
		group.Wait()
	}
	allIdle(t, pool)
	assert.Equal(t, "1", poolCall(t, pool, "null"))
}

// The host function's error is found through the pool as through the sandbox.
func TestErrorsThroughALease(t *testing.T) {
	mine := errors.New("mine")
	template := withFunctions(small(`
		import * as host from "host";
		function handler() { host.fail(); return 1; }`), functions{"fail": func() error { return mine }})
	pool := newPool(t, template, hyperlight.PoolSize(1))
	_, err := pool.HandleEvent(t.Context(), "handler", []byte("null"))
	require.ErrorIs(t, err, mine)
	assert.Equal(t, "HandleEvent", asError(t, err).Op)
}
