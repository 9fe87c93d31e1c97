package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestPoolRestoresAfterEachCall(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(2))
	for range 5 {
		assert.Equal(t, "1", poolCall(t, pool, "null"))
	}
	lease := acquire(t, pool)
	assert.Equal(t, "1", poolCall(t, lease, "null"))
	assert.Equal(t, "2", poolCall(t, lease, "null"), "a lease is one guest")
	lease.Release()
	for range 3 {
		assert.Equal(t, "1", poolCall(t, pool, "null"))
	}
	allIdle(t, pool)
	stats := pool.Stats()
	assert.EqualValues(t, 9, stats.Acquired)
	assert.LessOrEqual(t, stats.Restores, uint64(9))
	assert.GreaterOrEqual(t, stats.Restores, uint64(7))
}

// What did not run needs no restoring.
func TestPoolDoesNotRestoreWithoutNeed(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	acquire(t, pool).Release()
	acquire(t, pool).Release()
	allIdle(t, pool)
	assert.Zero(t, pool.Stats().Restores)
	// One restore for each call, neither two nor none.
	for range 20 {
		assert.Equal(t, "1", poolCall(t, pool, "null"))
	}
	eventually(t, func() bool { return pool.Stats().Restores == 20 })
}

func TestPoolKeepsState(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolPolicy(hyperlight.KeepState))
	assert.Equal(t, "1", poolCall(t, pool, "null"))
	assert.Equal(t, "2", poolCall(t, pool, "null"))
	_, err := pool.HandleEvent(t.Context(), "handler", []byte(`{"fail":true}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.Equal(t, "3", poolCall(t, pool, "null"))
	assert.Zero(t, pool.Stats().Restores)
	// Until it is poisoned.
	_, err = pool.HandleEvent(t.Context(), "handler", []byte(`{"abort":true}`))
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
	assert.Equal(t, "1", poolCall(t, pool, "null"))
	assert.EqualValues(t, 1, pool.Stats().Poisoned)
	assert.EqualValues(t, 1, pool.Stats().Restores)
}

func TestPoolRestoresAfterErrors(t *testing.T) {
	template := withFunctions(small(`
		import * as host from "host";
		let count = 0;
		function handler(event) {
			if (event === "fail") throw new Error("told to");
			if (event === "host") host.fail();
			if (event === "nothing") return;
			return ++count;
		}`), functions{"fail": func() error { return errors.New("host failure") }})
	pool := newPool(t, template, hyperlight.PoolSize(1), hyperlight.PoolPolicy(hyperlight.RestoreAfterError))
	for event, expected := range map[string]error{
		`"fail"`: hyperlight.ErrJSException, `"host"`: hyperlight.ErrJSException, `"nothing"`: hyperlight.ErrNoValue,
	} {
		assert.Equal(t, "1", poolCall(t, pool, "null"))
		assert.Equal(t, "2", poolCall(t, pool, "null"))
		_, err := pool.HandleEvent(t.Context(), "handler", []byte(event))
		require.ErrorIs(t, err, expected)
	}
	assert.Equal(t, "1", poolCall(t, pool, "null"))
	// What did not run changes nothing.
	_, err := pool.HandleEvent(t.Context(), "handler", []byte(`{`))
	require.ErrorIs(t, err, hyperlight.ErrInvalidJSON)
	_, err = pool.HandleEvent(t.Context(), "", []byte(`1`))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.Equal(t, "2", poolCall(t, pool, "null"))
	// One failure is enough, whatever the other calls of a lease did.
	lease := acquire(t, pool)
	_, err = lease.HandleEvent(t.Context(), "handler", []byte(`"fail"`))
	require.Error(t, err)
	assert.Equal(t, "3", poolCall(t, lease, "null"))
	lease.Release()
	assert.Equal(t, "1", poolCall(t, pool, "null"))
}

func TestPoolRecoversPoisonedSandboxes(t *testing.T) {
	for _, policy := range []hyperlight.RestorePolicy{hyperlight.RestoreAfterCall, hyperlight.RestoreAfterError, hyperlight.KeepState} {
		t.Run(policy.String(), func(t *testing.T) {
			pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolPolicy(policy))
			for _, test := range []struct {
				event    string
				limit    time.Duration
				expected error
			}{
				{`{"abort":true}`, time.Minute, hyperlight.ErrOutOfMemory},
				{`{"loop":true}`, 30 * time.Millisecond, hyperlight.ErrCancelled},
			} {
				lease := acquire(t, pool)
				limit := hyperlight.WithMonitors(hyperlight.WallClock(test.limit))
				_, err := lease.HandleEvent(t.Context(), "handler", []byte(test.event), limit)
				require.ErrorIs(t, err, test.expected)
				_, err = lease.HandleEvent(t.Context(), "handler", []byte("null"))
				require.ErrorIs(t, err, hyperlight.ErrPoisoned, "it is the lease's until it is released")
				lease.Release()
				assert.Equal(t, "1", poolCall(t, pool, "null"))
				if policy != hyperlight.RestoreAfterCall {
					assert.Equal(t, "2", poolCall(t, pool, "null"))
				}
			}
			assert.EqualValues(t, 2, pool.Stats().Poisoned)
			assert.Zero(t, pool.Stats().Replaced)
		})
	}
}

// unrecoverable describes sandboxes that the event `{"times":1,"prefix":"./","unit":"a/","units":200000}` makes
// unrecoverable.
func unrecoverable(register func(*hyperlight.ProtoJSSandbox) error) hyperlight.Template {
	template := small(manyImports)
	template.Options = nil // So big an event needs bigger buffers.
	template.Register = func(p *hyperlight.ProtoJSSandbox) error {
		if err := register(p); err != nil {
			return err
		}
		return p.SetModuleLoader(files(map[string]string{"a.js": "export const a = 1;"}))
	}
	return template
}

const (
	deadly   = `{"times":1,"prefix":"./","unit":"a/","units":200000}`
	harmless = `{"times":1,"prefix":"./","unit":"a/","units":1}`
)

func TestPoolReplacesUnrecoverableSandboxes(t *testing.T) {
	boots := new(atomic.Int32)
	pool := newPool(t, unrecoverable(func(*hyperlight.ProtoJSSandbox) error { boots.Add(1); return nil }), hyperlight.PoolSize(2))
	require.EqualValues(t, 2, boots.Load())
	for round := range 2 {
		_, err := pool.HandleEvent(t.Context(), "handler", []byte(deadly))
		require.ErrorIs(t, err, hyperlight.ErrGuestAborted)
		assert.Contains(t, poolCall(t, pool, harmless), "Error resolving module")
		allIdle(t, pool)
		assert.EqualValues(t, round+1, pool.Stats().Replaced)
		assert.EqualValues(t, round+3, boots.Load())
	}
}

func TestPoolWaitsUntilTheHostBootsAgain(t *testing.T) {
	var broken atomic.Bool
	hostFailure := errors.New("the host has no memory left")
	pool := newPool(t, unrecoverable(func(*hyperlight.ProtoJSSandbox) error {
		if broken.Load() {
			return hostFailure
		}
		return nil
	}), hyperlight.PoolSize(1))
	broken.Store(true)
	_, err := pool.HandleEvent(t.Context(), "handler", []byte(deadly))
	require.ErrorIs(t, err, hyperlight.ErrGuestAborted)
	eventually(t, func() bool { return pool.Stats().FailedBoots >= 3 })
	assert.Equal(t, 1, pool.Stats().Booting)
	assert.Equal(t, hostFailure, pool.Stats().LastBootFailure)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = pool.Acquire(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, hostFailure)
	assert.EqualError(t, err, "hyperlight: Pool.Acquire: no sandbox of the pool became free: context deadline exceeded; "+
		"the last boot failed: the host has no memory left")

	waits := make(chan error)
	go func() {
		_, err := pool.HandleEvent(t.Context(), "handler", []byte(harmless))
		waits <- err
	}()
	waiting(t, pool, 1)
	broken.Store(false)
	require.NoError(t, <-waits)
	assert.EqualValues(t, 1, pool.Stats().Replaced)

	// That boot failed once does not matter any more.
	lease := acquire(t, pool)
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = pool.Acquire(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, hostFailure)
	lease.Release()
}

func TestPoolIsFair(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	lease := acquire(t, pool)
	const callers = 20
	var order []int
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			lease, err := pool.Acquire(t.Context())
			if assert.NoError(t, err) {
				order = append(order, i) // Whoever has the only sandbox is alone.
				lease.Release()
			}
		})
		waiting(t, pool, i+1)
	}
	lease.Release()
	group.Wait()
	assert.True(t, slices.IsSorted(order), "%v", order)
	assert.Len(t, order, callers)
	stats := pool.Stats()
	assert.EqualValues(t, callers, stats.Waited)
	assert.Positive(t, stats.LongestWait)
	assert.GreaterOrEqual(t, stats.WaitTime, stats.LongestWait)
}

func TestPoolQueueIsBounded(t *testing.T) {
	for queue := range 3 {
		t.Run(fmt.Sprint(queue), func(t *testing.T) {
			pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolQueue(queue))
			lease := acquire(t, pool)
			var group sync.WaitGroup
			for i := range queue {
				group.Go(func() {
					_, err := pool.HandleEvent(t.Context(), "handler", []byte("null"))
					assert.NoError(t, err)
				})
				waiting(t, pool, i+1)
			}
			_, err := pool.Acquire(t.Context())
			require.ErrorIs(t, err, hyperlight.ErrPoolFull)
			assert.EqualError(t, err, fmt.Sprintf("hyperlight: Pool.Acquire: all 1 sandboxes are in use, "+
				"and %d callers wait, as many as PoolQueue allows", queue))
			lease.Release()
			group.Wait()
			// Who comes one after the other never waits for others, only for what is done in the background.
			for range 30 {
				assert.Equal(t, "1", poolCall(t, pool, "null"))
				runtime.Gosched()
			}
		})
	}
}

func TestPoolSizeIsTheNumberOfProcessors(t *testing.T) {
	pool := newPool(t, small(lasting))
	assert.Equal(t, runtime.GOMAXPROCS(0), pool.Stats().Size)
	allIdle(t, pool)
}

func TestPoolStartsWithProgress(t *testing.T) {
	var steps [][2]int
	boots := new(atomic.Int32)
	template := small(`
		const began = Date.now();
		function handler() { return began; }`)
	template.Register = func(*hyperlight.ProtoJSSandbox) error { boots.Add(1); return nil }
	adds := new(atomic.Int32)
	add := template.Add
	template.Add = func(s *hyperlight.JSSandbox) error { adds.Add(1); return add(s) }
	pool := newPool(t, template, hyperlight.PoolSize(3), hyperlight.PoolProgress(func(ready, size int) {
		steps = append(steps, [2]int{ready, size})
	}))
	assert.Equal(t, [][2]int{{1, 3}, {2, 3}, {3, 3}}, steps)
	assert.Equal(t, 3, pool.Stats().Idle)
	assert.EqualValues(t, 3, boots.Load())
	assert.EqualValues(t, 1, adds.Load(), "the other sandboxes are restored to the first one's snapshot")
	// So they are alike to the last variable.
	leases := []*hyperlight.Lease{acquire(t, pool), acquire(t, pool), acquire(t, pool)}
	began := poolCall(t, leases[0], "null")
	for _, lease := range leases {
		assert.Equal(t, began, poolCall(t, lease, "null"))
		lease.Release()
	}
}

func TestPoolThatDoesNotStart(t *testing.T) {
	mine := errors.New("mine")
	second := func(then func() error) func(*hyperlight.ProtoJSSandbox) error {
		boots := new(atomic.Int32)
		return func(*hyperlight.ProtoJSSandbox) error {
			if boots.Add(1) == 2 {
				return then()
			}
			return nil
		}
	}
	with := func(register func(*hyperlight.ProtoJSSandbox) error) hyperlight.Template {
		template := small(lasting)
		template.Register = register
		return template
	}
	for name, test := range map[string]struct {
		template hyperlight.Template
		opts     []hyperlight.PoolOption
		expected error
	}{
		"bad script":        {small("no JavaScript"), nil, hyperlight.ErrJSException},
		"bad option":        {small(lasting, hyperlight.WithHeapSize(1)), nil, hyperlight.ErrMemorySize},
		"first fails":       {with(func(*hyperlight.ProtoJSSandbox) error { return mine }), nil, mine},
		"second fails":      {with(second(func() error { return mine })), nil, mine},
		"second panics":     {with(second(func() error { panic(mine) })), nil, hyperlight.ErrTemplatePanicked},
		"and with what":     {with(second(func() error { panic(mine) })), nil, mine},
		"second ends":       {with(second(func() error { runtime.Goexit(); return nil })), nil, hyperlight.ErrTemplatePanicked},
		"nothing to run":    {hyperlight.Template{}, nil, hyperlight.ErrInvalidArgument},
		"no option":         {small(lasting), []hyperlight.PoolOption{nil}, hyperlight.ErrInvalidArgument},
		"no sandbox":        {small(lasting), []hyperlight.PoolOption{hyperlight.PoolSize(0)}, hyperlight.ErrInvalidArgument},
		"negative queue":    {small(lasting), []hyperlight.PoolOption{hyperlight.PoolQueue(-1)}, hyperlight.ErrInvalidArgument},
		"no such policy":    {small(lasting), []hyperlight.PoolOption{hyperlight.PoolPolicy(3)}, hyperlight.ErrInvalidArgument},
		"no source":         {small(lasting), []hyperlight.PoolOption{hyperlight.PoolTenants(nil, hyperlight.TenantLimits{})}, hyperlight.ErrInvalidArgument},
		"negative tenants":  {small(lasting), tenantLimits(hyperlight.TenantLimits{Tenants: -1}), hyperlight.ErrInvalidArgument},
		"negative bytes":    {small(lasting), tenantLimits(hyperlight.TenantLimits{Bytes: -1}), hyperlight.ErrInvalidArgument},
		"negative time":     {small(lasting), tenantLimits(hyperlight.TenantLimits{LoadTime: -1}), hyperlight.ErrInvalidArgument},
		"negative interval": {small(lasting), tenantLimits(hyperlight.TenantLimits{Retry: -1}), hyperlight.ErrInvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			opts := append([]hyperlight.PoolOption{hyperlight.PoolSize(3)}, test.opts...)
			_, err := hyperlight.NewPool(t.Context(), test.template, opts...)
			require.ErrorIs(t, err, test.expected)
		})
	}
}

func tenantLimits(limits hyperlight.TenantLimits) []hyperlight.PoolOption {
	source := func(context.Context, string, *hyperlight.JSSandbox) error { return nil }
	return []hyperlight.PoolOption{hyperlight.PoolTenants(source, limits)}
}

func TestPoolStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	freed := make(chan struct{})
	func() {
		template := small(lasting, hyperlight.WithPrint(tracked(freed)))
		_, err := hyperlight.NewPool(ctx, template, hyperlight.PoolSize(4), hyperlight.PoolProgress(func(ready, size int) { cancel() }))
		require.ErrorIs(t, err, context.Canceled)
		_, err = hyperlight.NewPool(ctx, template)
		require.ErrorIs(t, err, context.Canceled)
	}()
	collected(t, freed)
	//lint:ignore SA1012 a nil context is the point
	_, err := hyperlight.NewPool(nil, small(lasting))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
}

// What panics on the caller's goroutine is the caller's, and leaves nothing behind.
func TestPoolWhoseProgressPanics(t *testing.T) {
	freed := make(chan struct{})
	func() {
		template := small(lasting, hyperlight.WithPrint(tracked(freed)))
		assert.PanicsWithValue(t, "progress", func() {
			_, _ = hyperlight.NewPool(t.Context(), template, hyperlight.PoolSize(2), hyperlight.PoolProgress(func(int, int) { panic("progress") }))
		})
	}()
	collected(t, freed)
}

func TestPoolsThatAreNone(t *testing.T) {
	for name, pool := range map[string]*hyperlight.Pool{"nil": nil, "zero": new(hyperlight.Pool)} {
		t.Run(name, func(t *testing.T) {
			_, err := pool.Acquire(t.Context())
			require.ErrorIs(t, err, hyperlight.ErrClosed)
			_, err = pool.AcquireTenant(t.Context(), "x")
			require.ErrorIs(t, err, hyperlight.ErrClosed)
			_, err = pool.HandleEvent(t.Context(), "handler", nil)
			require.ErrorIs(t, err, hyperlight.ErrClosed)
			_, err = pool.HandleTenantEvent(t.Context(), "x", "handler", nil)
			require.ErrorIs(t, err, hyperlight.ErrClosed)
			assert.Zero(t, pool.Stats())
			pool.Forget("x")
			assert.NoError(t, pool.Close(t.Context()))
		})
	}
	assert.Equal(t, "RestorePolicy(7)", hyperlight.RestorePolicy(7).String())
}

func TestPoolRefusesBadArguments(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1))
	//lint:ignore SA1012 a nil context is the point
	_, err := pool.Acquire(nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	//lint:ignore SA1012 a nil context is the point
	_, err = pool.HandleEvent(nil, "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	//lint:ignore SA1012 a nil context is the point
	require.ErrorIs(t, pool.Close(nil), hyperlight.ErrInvalidArgument)
	_, err = pool.AcquireTenant(t.Context(), "tenant")
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = pool.Acquire(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = pool.HandleEvent(t.Context(), "handler", []byte("null"), nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	_, err = pool.HandleEvent(t.Context(), "nobody", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)
	assert.Equal(t, "1", poolCall(t, pool, "null"))
}

// Statistics of a call that was never made are none, not those of some other call.
func TestPoolCallOptions(t *testing.T) {
	pool := newPool(t, small(`function handler(x) { console.log("got " + x); return x; }`), hyperlight.PoolSize(1), hyperlight.PoolQueue(0))
	var stats hyperlight.ExecutionStats
	var printed []string
	print := hyperlight.WithPrintFunc(func(text string) { printed = append(printed, text) })
	assert.Equal(t, "7", poolCall(t, pool, "7", hyperlight.WithStats(&stats), print))
	assert.Positive(t, stats.WallClock)
	assert.Equal(t, []string{"got 7\n"}, printed)
	lease := acquire(t, pool)
	_, err := pool.HandleEvent(t.Context(), "handler", []byte("8"), hyperlight.WithStats(&stats), print)
	require.ErrorIs(t, err, hyperlight.ErrPoolFull)
	assert.Zero(t, stats)
	lease.Release()
	assert.Len(t, printed, 1)
}

// A host function may use the pool that waits for it, as long as there is a sandbox left.
func TestPoolReentrancy(t *testing.T) {
	var pool *hyperlight.Pool
	deeper := func(ctx context.Context, levels int) (string, error) {
		result, err := pool.HandleEvent(ctx, "handler", fmt.Append(nil, levels))
		if errors.Is(err, hyperlight.ErrReentrant) {
			return "no sandbox left", nil
		}
		return string(result), err
	}
	template := withFunctions(small(`
		import * as host from "host";
		function handler(levels) { return levels > 0 ? "in " + host.deeper(levels - 1) : "there"; }`),
		functions{"deeper": deeper})
	pool = newPool(t, template, hyperlight.PoolSize(2))
	assert.Equal(t, `"there"`, poolCall(t, pool, "0"))
	assert.Equal(t, `"in \"there\""`, poolCall(t, pool, "1"))
	assert.Equal(t, `"in \"in no sandbox left\""`, poolCall(t, pool, "2"))
	// Leases are counted, too.
	one, two := acquire(t, pool), acquire(t, pool)
	go func() { waiting(t, pool, 1); two.Release() }()
	assert.Equal(t, `"in \"there\""`, poolCall(t, one, "1"))
	one.Release()
	_, ok := hyperlight.TenantFromContext(t.Context())
	assert.False(t, ok)
}

// A size beyond all bounds is a pool that is never complete, and nothing worse.
func TestPoolOfAbsurdSize(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := hyperlight.NewPool(ctx, small(lasting), hyperlight.PoolSize(math.MaxInt),
		hyperlight.PoolProgress(func(ready, _ int) {
			if ready == 2 {
				cancel()
			}
		}))
	require.ErrorIs(t, err, context.Canceled)
}
