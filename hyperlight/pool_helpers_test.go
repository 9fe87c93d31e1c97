package hyperlight_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// small describes sandboxes that boot fast, with one handler, called "handler".
func small(source string, opts ...hyperlight.Option) hyperlight.Template {
	return hyperlight.Template{
		Options: append([]hyperlight.Option{hyperlight.WithUpstreamDefaults()}, opts...),
		Add:     adds(source),
	}
}

func adds(source string) func(*hyperlight.JSSandbox) error {
	return func(s *hyperlight.JSSandbox) error {
		return s.AddHandler("handler", hyperlight.Script(source))
	}
}

// withFunctions adds host functions of a module "host" to a template.
func withFunctions(template hyperlight.Template, functions functions) hyperlight.Template {
	template.Register = func(p *hyperlight.ProtoJSSandbox) error {
		for name, function := range functions {
			if err := p.Register("host", name, function); err != nil {
				return err
			}
		}
		return nil
	}
	return template
}

// newPool makes a pool that is closed with the test, by when all of its sandboxes have to be back.
func newPool(t *testing.T, template hyperlight.Template, opts ...hyperlight.PoolOption) *hyperlight.Pool {
	t.Helper()
	pool, err := hyperlight.NewPool(t.Context(), template, opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		assert.NoError(t, pool.Close(ctx))
		stats := pool.Stats()
		assert.Zero(t, stats.Idle+stats.InUse+stats.Restoring+stats.Booting+stats.Waiting)
	})
	return pool
}

// poolCall runs "handler" in a sandbox of a pool, or of a lease, and returns the result as text.
func poolCall(t *testing.T, caller caller, event string, opts ...hyperlight.CallOption) string {
	t.Helper()
	result, err := caller.HandleEvent(t.Context(), "handler", []byte(event), opts...)
	require.NoError(t, err)
	return string(result)
}

type caller interface {
	HandleEvent(ctx context.Context, name string, event []byte, opts ...hyperlight.CallOption) ([]byte, error)
}

var (
	_ caller = (*hyperlight.Pool)(nil)
	_ caller = (*hyperlight.Lease)(nil)
	_ caller = (*hyperlight.LoadedJSSandbox)(nil)
)

func tenantCall(t *testing.T, pool *hyperlight.Pool, key, event string) string {
	t.Helper()
	result, err := pool.HandleTenantEvent(t.Context(), key, "handler", []byte(event))
	require.NoError(t, err)
	return string(result)
}

func acquire(t *testing.T, pool *hyperlight.Pool) *hyperlight.Lease {
	t.Helper()
	lease, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	t.Cleanup(lease.Release)
	return lease
}

func acquireTenant(t *testing.T, pool *hyperlight.Pool, key string) *hyperlight.Lease {
	t.Helper()
	lease, err := pool.AcquireTenant(t.Context(), key)
	require.NoError(t, err)
	t.Cleanup(lease.Release)
	return lease
}

// eventually waits for something that happens in the background.
func eventually(t *testing.T, condition func() bool, what ...any) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, time.Millisecond, what...)
}

// allIdle waits until nobody uses a sandbox, and nothing is done to one.
func allIdle(t *testing.T, pool *hyperlight.Pool) {
	t.Helper()
	eventually(t, func() bool {
		stats := pool.Stats()
		return stats.Idle == stats.Size && stats.Waiting == 0
	}, "all sandboxes come back")
}

// waiting waits until so many callers wait for a sandbox.
func waiting(t *testing.T, pool *hyperlight.Pool, callers int) {
	t.Helper()
	eventually(t, func() bool { return pool.Stats().Waiting == callers }, "that many wait")
}

// lasting is a counter that fails, aborts or loops when it is told to.
const lasting = `
	let count = 0;
	function handler(event) {
		if (event?.fail) throw new Error("told to");
		if (event?.abort) { function f(n) { return f(n + 1) + 1; } return f(0); }
		while (event?.loop) ;
		return ++count;
	}`
