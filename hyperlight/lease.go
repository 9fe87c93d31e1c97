package hyperlight

import (
	"context"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Lease is a sandbox of a [Pool] that its holder uses alone, from [Pool.Acquire] until Release: for several calls in
// one guest. Its methods may be called from any goroutine; calls take turns. A lease that is forgotten without
// Release is released some time after it became unreachable. Upstream has no pools.
type Lease struct {
	pool    *Pool // It stays reachable as long as the lease.
	held    *shared[*member]
	tenant  bool
	key     string
	before  uint64 // how many calls others have made
	cleanup runtime.Cleanup
}

func newLease(p *Pool, m *member) *Lease {
	held := &shared[*member]{native: m, free: p.core.giveBack}
	l := &Lease{pool: p, held: held, tenant: m.image.tenant, key: m.image.key}
	m.loaded.h.peek(func(loaded capi.LoadedSandbox) { _, l.before = m.loaded.readStats(loaded) })
	l.cleanup = runtime.AddCleanup(l, func(held *shared[*member]) { forgotten.close(held.close) }, held)
	return l
}

// HandleEvent is [LoadedJSSandbox.HandleEvent] in the lease's sandbox, with the same options and errors. Host
// functions get a ctx that carries the tenant, if the lease is for one ([TenantFromContext]).
//
// An error may leave the sandbox poisoned, and it is not restored before the lease is released: calls return
// [ErrPoisoned] until then. After Release, and once the pool was closed under the lease, they return [ErrClosed].
// Upstream: LoadedJSSandbox::handle_event.
func (l *Lease) HandleEvent(ctx context.Context, name string, event []byte, opts ...CallOption) (result []byte, err error) {
	resetStats(opts)
	err = l.use(ctx, "Lease.HandleEvent", func(ctx context.Context, loaded *LoadedJSSandbox) error {
		result, err = loaded.HandleEvent(ctx, name, event, opts...)
		return err
	})
	return result, err
}

// use has the lease's sandbox do something. The error says whether the guest, or a host function, failed.
func (l *Lease) use(ctx context.Context, op string, do func(context.Context, *LoadedJSSandbox) error) error {
	if l == nil || l.held == nil {
		return &Error{Op: op, Code: CodeClosed, Message: "this is a zero value, or nil; Pool.Acquire makes usable ones"}
	}
	if ctx == nil {
		return invalidArgument(op, "ctx is nil; pass context.Background()")
	}
	if !l.held.enter() {
		return &Error{Op: op, Code: CodeClosed, Message: "the lease was released"}
	}
	defer runtime.KeepAlive(l)
	defer l.held.leave()
	return l.pool.core.use(ctx, l.held.native, do)
}

// LastCallStats is what the lease's last finished call took; see [LoadedJSSandbox.LastCallStats]. It is false if
// there was none, and after Release: calls of others are none of the lease's business. Upstream:
// LoadedJSSandbox::last_call_stats.
func (l *Lease) LastCallStats() (stats ExecutionStats, ok bool) {
	if l == nil || l.held == nil || !l.held.enter() {
		return ExecutionStats{}, false
	}
	defer runtime.KeepAlive(l)
	defer l.held.leave()
	loaded := l.held.native.loaded
	calls := l.before
	loaded.h.peek(func(native capi.LoadedSandbox) { stats, calls = loaded.readStats(native) })
	if calls == l.before {
		return ExecutionStats{}, false
	}
	return stats, true
}

// Tenant is the key of the tenant that the lease is for, if it is for one; also after Release. Upstream has no
// pools.
func (l *Lease) Tenant() (key string, ok bool) {
	if l == nil || l.held == nil {
		return "", false
	}
	return l.key, l.tenant
}

// Release gives the sandbox back to the pool, which restores it if its policy says so; if calls of the lease run or
// wait for their turn, once they have ended. It never waits, and may be called more than once. Upstream has no
// pools.
func (l *Lease) Release() {
	if l != nil && l.held != nil {
		l.cleanup.Stop()
		l.held.close()
	}
}
