package hyperlight

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// moody is a context that panics when it is asked the nth time, whatever it is asked.
type moody struct {
	context.Context
	left int
}

func (m *moody) ask() {
	if m.left--; m.left == 0 {
		panic("moody")
	}
}

func (m *moody) Done() <-chan struct{} { m.ask(); return m.Context.Done() }
func (m *moody) Err() error            { m.ask(); return m.Context.Err() }
func (m *moody) Value(key any) any     { m.ask(); return m.Context.Value(key) }

// counted is a Monitor that knows how many of it are open.
type counted struct {
	Monitor
	now int
}

func (c *counted) open(op string) (capi.Monitor, error) { c.now++; return c.Monitor.open(op) }
func (c *counted) close(native capi.Monitor)            { c.now--; c.Monitor.close(native) }

// A context that panics does so in its caller's face, and leaves nothing behind: no monitor, no turn that never ends, no
// call that callbacks take for running, and nothing that stops a later call.
func TestContextsThatPanic(t *testing.T) {
	loaded := loadCounter(t)
	monitor := &counted{Monitor: WallClock(1 << 40)}
	sandbox := func() *JSSandbox {
		sandbox, err := loaded.Unload(context.Background())
		require.NoError(t, err)
		require.NoError(t, counterTemplate.Add(sandbox))
		return sandbox
	}
	reload := func(ctx context.Context, sandbox *JSSandbox) {
		again, err := sandbox.Load(ctx)
		require.NoError(t, err)
		loaded = again
		t.Cleanup(func() { require.NoError(t, again.Close()) })
	}
	for name, use := range map[string]func(context.Context){
		"HandleEvent": func(ctx context.Context) {
			_, err := loaded.HandleEvent(ctx, "handler", []byte("{}"), WithMonitors(monitor))
			require.NoError(t, err)
		},
		"HandleEvents": func(ctx context.Context) {
			_, err := loaded.HandleEvents(ctx, "handler", [][]byte{[]byte("{}")}, WithMonitors(monitor))
			require.NoError(t, err)
		},
		"waiting": func(ctx context.Context) {
			require.NoError(t, loaded.h.enter(context.Background(), "op"))
			left := make(chan struct{})
			go func() {
				defer close(left)
				loaded.h.leave()
			}()
			defer func() { <-left }()
			require.NoError(t, loaded.h.wait(ctx, "op"))
			loaded.h.leave()
		},
	} {
		t.Run(name, func(t *testing.T) {
			moodily(t, func(ctx *moody) { use(ctx) }, func(bool) {
				assert.Zero(t, monitor.now)
				assert.Nil(t, loaded.guest.call.Load())
				require.Empty(t, loaded.h.queue, "the turn is over")
				_, err := loaded.HandleEvent(context.Background(), "handler", []byte("{}"))
				require.NoError(t, err)
			})
		})
	}
	t.Run("Load", func(t *testing.T) {
		var unloaded *JSSandbox
		moodily(t, func(ctx *moody) {
			unloaded = sandbox()
			reload(ctx, unloaded)
		}, func(panicked bool) {
			if !panicked {
				return
			}
			assert.Nil(t, unloaded.guest.call.Load())
			require.Empty(t, unloaded.h.queue)
			if unloaded.Status() == StatusReady { // It panicked before anything was loaded.
				reload(context.Background(), unloaded)
				return
			}
			loaded = loadCounter(t)
		})
	})
}

// If the guest had run when a context panicked, the status is what the guest is.
func TestContextsThatPanicAfterTheGuestWasStopped(t *testing.T) {
	endless := Template{Add: func(s *JSSandbox) error {
		return s.AddHandler("handler", Script("function handler() { for (;;) ; }"))
	}}
	loaded, err := endless.Load(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, loaded.Close()) }()
	snapshot, err := loaded.Snapshot(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, snapshot.Close()) }()
	limit := WithMonitors(CPUTime(time.Millisecond))
	for name, use := range map[string]func(context.Context) error{
		"HandleEvent": func(ctx context.Context) error {
			_, err := loaded.HandleEvent(ctx, "handler", []byte("{}"), limit)
			return err
		},
		"HandleEvents": func(ctx context.Context) error {
			_, err := loaded.HandleEvents(ctx, "handler", [][]byte{[]byte("{}")}, limit)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			afterwards := 0
			moodily(t, func(ctx *moody) { require.ErrorIs(t, use(ctx), ErrCancelled) }, func(panicked bool) {
				status, failure := capi.LoadedSandboxStatus(loaded.h.native)
				require.Nil(t, failure)
				require.Equal(t, Status(status), loaded.Status())
				if panicked && loaded.Status() == StatusPoisoned {
					afterwards++
				}
				require.NoError(t, loaded.Restore(context.Background(), snapshot))
			})
			assert.Positive(t, afterwards, "none of the panics came after the guest")
		})
	}
}

// A pool has all its sandboxes after a caller's context has panicked, whatever the caller did, and nobody waits in vain.
func TestContextsThatPanicInPools(t *testing.T) {
	pool, err := NewPool(t.Context(), counterTemplate, PoolSize(1), PoolTenants(func(_ context.Context, _ string, s *JSSandbox) error {
		return counterTemplate.Add(s)
	}, TenantLimits{}))
	require.NoError(t, err)
	const patience = time.Minute
	event := []byte("{}")
	for name, use := range map[string]func(*moody){
		"HandleEvent": func(ctx *moody) {
			_, err := pool.HandleEvent(ctx, "handler", event)
			require.NoError(t, err)
		},
		"HandleTenantEvent": func(ctx *moody) {
			pool.Forget("tenant")
			_, err := pool.HandleTenantEvent(ctx, "tenant", "handler", event)
			require.NoError(t, err)
		},
		"waiting": func(ctx *moody) {
			lease, err := pool.Acquire(context.Background())
			require.NoError(t, err)
			defer lease.Release()
			ends, cancel := context.WithTimeout(ctx.Context, time.Millisecond)
			defer cancel()
			ctx.Context = ends
			_, err = pool.AcquireTenant(ctx, "tenant")
			require.ErrorIs(t, err, context.DeadlineExceeded)
		},
	} {
		t.Run(name, func(t *testing.T) {
			moodily(t, use, func(bool) {
				patient, cancel := context.WithTimeout(context.Background(), patience)
				result, err := pool.HandleEvent(patient, "handler", event)
				require.NoError(t, err, "%+v", pool.Stats())
				require.Equal(t, "1", string(result))
				_, err = pool.HandleTenantEvent(patient, "tenant", "handler", event)
				require.NoError(t, err)
				cancel()
			})
		})
	}
	patient, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, pool.Close(patient), "all its sandboxes come back")
}

// moodily uses a context that panics when it is asked the first time, then one that does the second time, and so on,
// until there is one that is not asked that often. after looks at what each time has left behind.
func moodily(t *testing.T, use func(*moody), after func(panicked bool)) {
	t.Helper()
	panics := 0
	for asked, panicked := 1, true; panicked; asked++ {
		ctx, cancel := context.WithCancel(context.Background())
		panicked = panicsIn(func() { use(&moody{ctx, asked}) })
		cancel()
		if panicked {
			panics++
		}
		after(panicked)
	}
	assert.Positive(t, panics)
}

func panicsIn(do func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	do()
	return false
}
