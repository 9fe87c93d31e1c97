package hyperlight_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

type batcher interface {
	HandleEvents(ctx context.Context, name string, events [][]byte, opts ...hyperlight.BatchOption) ([]hyperlight.EventResult, error)
}

var (
	_ batcher = (*hyperlight.Pool)(nil)
	_ batcher = (*hyperlight.Lease)(nil)
	_ batcher = (*hyperlight.LoadedJSSandbox)(nil)
)

// outcomes has "handler" of a pool, or of a lease, handle events; an error stands as "error".
func outcomes(t *testing.T, b batcher, events ...string) []string {
	t.Helper()
	results, err := b.HandleEvents(t.Context(), "handler", eventsOf(events...))
	require.NoError(t, err)
	return textsOf(results)
}

func textsOf(results []hyperlight.EventResult) (texts []string) {
	for _, result := range results {
		text := string(result.Result)
		if result.Err != nil {
			text = "error"
		}
		texts = append(texts, text)
	}
	return texts
}

// A batch is one use of a sandbox: its events find what the ones before left, and nobody else does.
func TestPoolBatches(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	results, err := pool.HandleEvents(t.Context(), "handler", eventsOf("null", `{"fail":true}`, "{", "null"))
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "error", "error", "2"}, textsOf(results))
	require.ErrorIs(t, results[1].Err, hyperlight.ErrJSException)
	require.ErrorIs(t, results[2].Err, hyperlight.ErrInvalidJSON)
	assert.Equal(t, []string{"1"}, outcomes(t, pool, "null"))
	assert.Empty(t, outcomes(t, pool))
	lease := acquire(t, pool)
	assert.Equal(t, []string{"1", "2"}, outcomes(t, lease, "null", "null"))
	assert.Equal(t, []string{"3"}, outcomes(t, lease, "null"))
	lease.Release()
	assert.Equal(t, "1", poolCall(t, pool, "null"))
	assert.EqualValues(t, 5, pool.Stats().Acquired)
}

// One failure is enough, also if the batch as a whole has none.
func TestPoolRestoresAfterErrorsInBatches(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolPolicy(hyperlight.RestoreAfterError))
	assert.Equal(t, []string{"1", "2"}, outcomes(t, pool, "null", "null"))
	assert.Equal(t, []string{"error", "3"}, outcomes(t, pool, "{", "null"), "what did not run changes nothing")
	assert.Equal(t, []string{"4", "error", "error", "5"}, outcomes(t, pool, "null", `{"fail":true}`, "{", "null"))
	assert.Equal(t, []string{"1"}, outcomes(t, pool, "null"))

	results, err := pool.HandleEvents(t.Context(), "handler", eventsOf("null", `{"fail":true}`, "null"), hyperlight.StopOnError())
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.Equal(t, []string{"2", "error"}, textsOf(results))
	assert.Equal(t, "1", poolCall(t, pool, "null"))

	lease := acquire(t, pool)
	assert.Equal(t, []string{"error", "2"}, outcomes(t, lease, `{"fail":true}`, "null"))
	assert.Equal(t, []string{"3"}, outcomes(t, lease, "null"), "nothing is restored under a lease")
	lease.Release()
	assert.Equal(t, []string{"1"}, outcomes(t, pool, "null"))
}

func TestPoolBatchThatPoisons(t *testing.T) {
	for _, policy := range []hyperlight.RestorePolicy{hyperlight.RestoreAfterCall, hyperlight.RestoreAfterError, hyperlight.KeepState} {
		t.Run(policy.String(), func(t *testing.T) {
			pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolPolicy(policy))
			results, err := pool.HandleEvents(t.Context(), "handler", eventsOf("null", `{"abort":true}`, "null"))
			require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
			assert.Equal(t, []string{"1", "error"}, textsOf(results))
			assert.Equal(t, []string{"1"}, outcomes(t, pool, "null"))
			assert.EqualValues(t, 1, pool.Stats().Poisoned)
		})
	}
}

func TestPoolBatchesOfTenants(t *testing.T) {
	pool := tenantPool(t, countsFor, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	for range 2 {
		for _, key := range []string{"a", "b"} {
			results, err := pool.HandleTenantEvents(t.Context(), key, "handler", eventsOf("null", "null"))
			require.NoError(t, err)
			assert.Equal(t, []string{`"` + key + `1"`, `"` + key + `2"`}, textsOf(results))
		}
	}
	lease := acquireTenant(t, pool, "a")
	assert.Equal(t, []string{`"a1"`, `"a2"`}, outcomes(t, lease, "null", "null"))
}

// If there is no sandbox for a batch, no event was taken up, and no figures are there but zeros.
func TestPoolBatchesWithoutASandbox(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolQueue(0))
	var stats hyperlight.ExecutionStats
	_, err := pool.HandleEvents(t.Context(), "handler", eventsOf("null"), hyperlight.WithStats(&stats))
	require.NoError(t, err)
	require.NotZero(t, stats)
	allIdle(t, pool)
	lease := acquire(t, pool)
	refused := func(use func() ([]hyperlight.EventResult, error), expected error) {
		t.Helper()
		stats.WallClock = 1
		results, err := use()
		require.ErrorIs(t, err, expected)
		assert.Nil(t, results)
		assert.Zero(t, stats)
	}
	refused(func() ([]hyperlight.EventResult, error) {
		return pool.HandleEvents(t.Context(), "handler", eventsOf("null"), hyperlight.WithStats(&stats))
	}, hyperlight.ErrPoolFull)
	refused(func() ([]hyperlight.EventResult, error) {
		return pool.HandleTenantEvents(t.Context(), "a", "handler", eventsOf("null"), hyperlight.WithStats(&stats))
	}, hyperlight.ErrInvalidArgument)
	refused(func() ([]hyperlight.EventResult, error) {
		//lint:ignore SA1012 a nil context is the point
		return lease.HandleEvents(nil, "handler", eventsOf("null"), hyperlight.WithStats(&stats))
	}, hyperlight.ErrInvalidArgument)
	lease.Release()
	refused(func() ([]hyperlight.EventResult, error) {
		return lease.HandleEvents(t.Context(), "handler", eventsOf("null"), hyperlight.WithStats(&stats))
	}, hyperlight.ErrClosed)
	refused(func() ([]hyperlight.EventResult, error) {
		return new(hyperlight.Lease).HandleEvents(t.Context(), "handler", eventsOf("null"), hyperlight.WithStats(&stats))
	}, hyperlight.ErrClosed)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refused(func() ([]hyperlight.EventResult, error) {
		return pool.HandleEvents(ctx, "handler", eventsOf("null"), hyperlight.WithStats(&stats))
	}, context.Canceled)
	allIdle(t, pool)
	_, err = pool.HandleEvents(t.Context(), "handler", eventsOf("null"), nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
}
