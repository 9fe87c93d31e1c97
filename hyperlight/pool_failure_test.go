package hyperlight

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Restoring fails when the host has no memory left; here, because the snapshot was closed. Who was to get that
// sandbox gets the first that works, before those who came later.
func TestPoolWhoseRestoreFails(t *testing.T) {
	spare, err := loadCounter(t).Snapshot(t.Context())
	require.NoError(t, err)
	mended := make(chan struct{})
	boots := 0
	template := counterTemplate
	template.Register = func(*ProtoJSSandbox) error {
		if boots++; boots > 1 {
			<-mended
		}
		return nil
	}
	pool, err := NewPool(t.Context(), template, PoolSize(1))
	require.NoError(t, err)
	lease, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	_, err = lease.HandleEvent(t.Context(), "handler", []byte("null"))
	require.NoError(t, err)

	var order []int
	var group sync.WaitGroup
	for i := range 3 {
		group.Go(func() {
			m, err := pool.core.acquire(t.Context(), "op", nil)
			assert.NoError(t, err)
			order = append(order, i)
			pool.core.giveBack(m)
		})
		require.Eventually(t, func() bool { return pool.Stats().Waiting == i+1 }, time.Minute, time.Millisecond)
	}
	require.NoError(t, pool.core.base.snapshot.Close())
	lease.Release()
	require.Eventually(t, func() bool {
		stats := pool.Stats()
		return stats.Booting == 1 && stats.Waiting == 3
	}, time.Minute, time.Millisecond)
	pool.core.base.snapshot = spare
	close(mended)
	group.Wait()
	assert.Equal(t, []int{0, 1, 2}, order)
	assert.EqualValues(t, 1, pool.Stats().Replaced)
	require.NoError(t, pool.Close(context.Background()))
}

// If several sandboxes in a row fail to be restored, that is the answer.
func TestPoolWhoseRestoresAllFail(t *testing.T) {
	pool, err := NewPool(t.Context(), counterTemplate, PoolSize(attempts), PoolPolicy(KeepState))
	require.NoError(t, err)
	for _, m := range pool.core.idle {
		m.dirty.Store(true)
	}
	require.NoError(t, pool.core.base.snapshot.Close())
	_, err = pool.Acquire(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	require.EqualError(t, err, "hyperlight: Restore: the snapshot is closed")
	assert.EqualValues(t, attempts, pool.Stats().Replaced)
	require.Eventually(t, func() bool { return pool.Stats().FailedBoots > 0 }, time.Minute, time.Millisecond)
	require.NoError(t, pool.Close(context.Background()))
	assert.Zero(t, pool.Stats().Booting)
}
