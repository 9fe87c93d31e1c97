package hyperlight

import (
	"context"
	"runtime"
	"slices"
)

// Pool is a number of sandboxes that are alike, and ready. Its methods may be called from any goroutine. Callers get
// a sandbox in the order in which they came, whatever tenant they want it for.
//
// All sandboxes share the memory of one snapshot, that of the first, and are restored to it between two users, as
// the pool's [RestorePolicy] says: in the background, so that the next finds them ready, unless it waits already.
// One that was poisoned is restored; one that nothing recovers is replaced by a new one, in the background.
//
// # What the policy RestoreAfterCall promises
//
// Nothing that a guest did to itself in one lease is there in the next: no variable, no state of a module, no change
// to a prototype or to a global object, no pending promise, and no part of a line that was printed. Between tenants
// that holds with all policies. But since everything is as it was, Math.random begins anew, too: each lease sees
// the same numbers. Do not make secrets of them; a host function can give better ones. What host functions keep
// is theirs: they are the same for all tenants, and their ctx tells who calls ([TenantFromContext]).
//
// # Host functions that use their pool
//
// A host function may use the pool whose sandbox waits for it, if it passes its ctx on. When all sandboxes of the
// pool wait for functions up that chain, it gets [ErrReentrant]. Several that each hold some sandboxes and want
// one more may still wait for each other, until their contexts end. A pool that its own functions refer to is not
// closed when it is forgotten.
//
// Upstream has no pools.
type Pool struct{ core *poolCore }

// NewPool makes a pool, and returns when all of its sandboxes are ready. The first is made by [Template.Load]; its
// snapshot, taken before any call, is what the others are restored to, so that Add and the scripts' top-level
// code run once, and Register for each. At most GOMAXPROCS boot at a time. With [PoolTenants] the template's Add
// may be nil. Upstream has no pools.
//
// ctx bounds the wait for that, and is what host functions get that top-level code calls.
//
// # Errors
//
// The first failure of a boot, as [Template.Load] returns it; [ErrTemplatePanicked]; [ErrInvalidArgument] for a nil
// ctx and for options that do not hold; and the error of ctx. All that was made until then is closed; a boot
// that is under way when ctx ends first comes to its end.
func NewPool(ctx context.Context, template Template, opts ...PoolOption) (*Pool, error) {
	const op = "NewPool"
	if ctx == nil {
		return nil, invalidArgument(op, "ctx is nil; pass context.Background()")
	}
	if ctx.Err() != nil {
		return nil, contextError(op, ctx)
	}
	o, err := readPoolOptions(op, template, opts)
	if err != nil {
		return nil, err
	}
	template.Options = slices.Clone(template.Options)
	core := newPoolCore(template, o)
	started := false
	defer func() { // Also when the progress function panics.
		if !started {
			core.abort()
		}
	}()
	if err := core.start(ctx, o.progress); err != nil {
		return nil, err
	}
	started = true
	p := &Pool{core}
	runtime.AddCleanup(p, func(core *poolCore) { forgotten.close(core.abort) }, core)
	return p, nil
}

// HandleEvent runs a handler in one of the sandboxes: Acquire, [Lease.HandleEvent], Release. Options are those of
// [LoadedJSSandbox.HandleEvent], and so are the errors, beside those of Acquire. Upstream:
// LoadedJSSandbox::handle_event.
func (p *Pool) HandleEvent(ctx context.Context, name string, event []byte, opts ...CallOption) ([]byte, error) {
	return p.handleEvent(ctx, "Pool.HandleEvent", nil, name, event, opts)
}

// HandleTenantEvent is HandleEvent for the tenant with this key, with the errors of AcquireTenant. Upstream:
// LoadedJSSandbox::handle_event.
func (p *Pool) HandleTenantEvent(ctx context.Context, key, name string, event []byte, opts ...CallOption) ([]byte, error) {
	return p.handleEvent(ctx, "Pool.HandleTenantEvent", &key, name, event, opts)
}

func (p *Pool) handleEvent(ctx context.Context, op string, key *string, name string, event []byte, opts []CallOption) (result []byte, err error) {
	resetStats(opts)
	err = p.use(ctx, op, key, func(ctx context.Context, loaded *LoadedJSSandbox) error {
		result, err = loaded.HandleEvent(ctx, name, event, opts...)
		return err
	})
	return result, err
}

// use has one of the sandboxes do something. The error says whether the guest, or a host function, failed.
func (p *Pool) use(ctx context.Context, op string, key *string, do func(context.Context, *LoadedJSSandbox) error) error {
	m, err := p.acquire(ctx, op, key)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(p)
	defer p.core.giveBack(m)
	return p.core.use(ctx, m, do)
}

// Acquire takes a sandbox out of the pool, which is the caller's alone until [Lease.Release]. If there is none, it
// waits for one, and ctx bounds that. Upstream has no pools.
//
// # Errors
//
// [ErrPoolFull]; [ErrClosed]; [ErrReentrant] when all sandboxes wait for the host function that calls it, as
// its ctx says; [ErrInvalidArgument] for a nil ctx; the error of ctx, which also matches why the last boot failed,
// if the pool lacks sandboxes because the host cannot boot them; and, after several sandboxes failed to be restored,
// the error of the last [LoadedJSSandbox.Restore].
func (p *Pool) Acquire(ctx context.Context) (*Lease, error) {
	return p.lease(ctx, "Pool.Acquire", nil)
}

// AcquireTenant is Acquire for the tenant with this key, any text: the sandbox has what the pool's [TenantSource] added for
// it, and nothing else. The first caller for a tenant loads its code in a sandbox of the pool, and takes a
// snapshot, which is kept; others who want the same tenant wait meanwhile, in their places, without a sandbox. If
// that caller gives up, the next of them loads it. Upstream has no pools.
//
// # Errors
//
// Those of Acquire; the error of the source, as it is; and that of [JSSandbox.Load], which is remembered
// ([TenantLimits]) unless it is the host's fault or the context's. [ErrInvalidArgument] when the pool has no
// [PoolTenants]. A panic of the source is the caller's.
func (p *Pool) AcquireTenant(ctx context.Context, key string) (*Lease, error) {
	return p.lease(ctx, "Pool.AcquireTenant", &key)
}

func (p *Pool) lease(ctx context.Context, op string, key *string) (*Lease, error) {
	m, err := p.acquire(ctx, op, key)
	if err != nil {
		return nil, err
	}
	return newLease(p, m), nil
}

func (p *Pool) acquire(ctx context.Context, op string, key *string) (*member, error) {
	if p == nil || p.core == nil {
		return nil, &Error{Op: op, Code: CodeClosed, Message: "this is a zero value, or nil; NewPool makes usable ones"}
	}
	defer runtime.KeepAlive(p)
	return p.core.acquire(ctx, op, key)
}

// Forget drops what the pool knows of a tenant, its snapshot or its failure to load, so that its code is loaded
// again when it is wanted again. No lease that is acquired from then on has the old code; those that there are
// keep it until they are released. Upstream has no pools.
func (p *Pool) Forget(key string) {
	if p != nil && p.core != nil {
		p.core.forget(key)
		runtime.KeepAlive(p)
	}
}
