package hyperlight

import (
	"fmt"
	"runtime"
	"time"
)

// PoolOption configures a [Pool]. Options are checked by [NewPool]; later ones win. Upstream has no pools.
type PoolOption interface{ applyToPool(*poolOptions) }

type poolOption func(*poolOptions)

func (o poolOption) applyToPool(all *poolOptions) { o(all) }

// What a pool does unless its options say otherwise. Upstream has no pools.
const (
	// DefaultPoolQueue is how many callers may wait for a sandbox of a pool.
	DefaultPoolQueue = 1024
	// DefaultTenants is how many tenants' snapshots a pool keeps.
	DefaultTenants = 128
	// DefaultTenantBytes is how much memory these snapshots may take: 512 MiB. With the default heap of 8 MiB
	// each takes some 11 MiB, so that this allows for 46 of them.
	DefaultTenantBytes = 512 << 20
	// DefaultTenantLoadTime is how long a tenant's top-level code may run.
	DefaultTenantLoadTime = 10 * time.Second
	// DefaultTenantRetry is how long a pool remembers that a tenant's code cannot be loaded.
	DefaultTenantRetry = time.Minute
)

// RestorePolicy says when a [Pool] restores its sandboxes to what they were when they were loaded. One that was
// poisoned always is, and one that changes from one tenant to another. Upstream has no pools.
type RestorePolicy int

// The policies; upstream has none of them.
const (
	// RestoreAfterCall restores a sandbox after each [Lease] that ran the guest, and so after each
	// [Pool.HandleEvent]: nothing that one caller left in a guest is there for the next. It is the default.
	RestoreAfterCall RestorePolicy = iota
	// RestoreAfterError keeps the guest's state as long as all calls succeed, and restores it after a
	// lease in which one failed: with an exception, say, or an error of a host function.
	RestoreAfterError
	// KeepState keeps the guest's state until the sandbox is poisoned. Which of the sandboxes a caller
	// gets is the pool's choice, so a state that matters needs a pool of one, or tenants that do not mind
	// that each sandbox has a state of its own for them.
	KeepState
)

// String is the policy's name, as it is here and not upstream.
func (p RestorePolicy) String() string {
	names := [...]string{"RestoreAfterCall", "RestoreAfterError", "KeepState"}
	if p >= 0 && int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("RestorePolicy(%d)", int(p))
}

type poolOptions struct {
	size     int
	policy   RestorePolicy
	queue    int
	progress func(ready, size int)
	source   TenantSource
	limits   TenantLimits
	tenants  bool
}

// PoolSize sets how many sandboxes a pool has, at least 1; GOMAXPROCS if not given. Each costs what a sandbox costs,
// and calls of several sandboxes run in parallel, each on a thread of its own. Upstream has no pools.
func PoolSize(sandboxes int) PoolOption {
	return poolOption(func(o *poolOptions) { o.size = sandboxes })
}

// PoolPolicy sets when sandboxes are restored; after each call if not given. Upstream has no pools.
func PoolPolicy(policy RestorePolicy) PoolOption {
	return poolOption(func(o *poolOptions) { o.policy = policy })
}

// PoolQueue sets how many callers may wait for a sandbox that others use; [DefaultPoolQueue] if not given. The next one
// gets [ErrPoolFull]. With 0 nobody waits for others. Upstream has no pools.
func PoolQueue(waiting int) PoolOption {
	return poolOption(func(o *poolOptions) { o.queue = waiting })
}

// PoolProgress has a function called each time another sandbox is ready while [NewPool] runs, on the goroutine
// of that. Upstream has no pools.
func PoolProgress(progress func(ready, size int)) PoolOption {
	return poolOption(func(o *poolOptions) { o.progress = progress })
}

// PoolTenants makes a pool serve tenants, each with code of its own, by [Pool.AcquireTenant] and
// [Pool.HandleTenantEvent]. source tells what a tenant's code is; the zero value of limits means the defaults.
// Upstream has no pools.
func PoolTenants(source TenantSource, limits TenantLimits) PoolOption {
	return poolOption(func(o *poolOptions) { o.source, o.limits, o.tenants = source, limits, true })
}

func readPoolOptions(op string, template Template, opts []PoolOption) (poolOptions, error) {
	o := poolOptions{size: runtime.GOMAXPROCS(0), queue: DefaultPoolQueue}
	for _, opt := range opts {
		if opt == nil {
			return o, invalidArgument(op, "an option is nil")
		}
		opt.applyToPool(&o)
	}
	switch {
	case o.size < 1:
		return o, invalidArgument(op, fmt.Sprintf("pool size is %d, below 1", o.size))
	case o.queue < 0:
		return o, invalidArgument(op, fmt.Sprintf("pool queue is %d, below zero", o.queue))
	case o.policy < RestoreAfterCall || o.policy > KeepState:
		return o, invalidArgument(op, fmt.Sprintf("%v is no policy", o.policy))
	case o.tenants && o.source == nil:
		return o, invalidArgument(op, "PoolTenants needs a source, not nil")
	case !o.tenants && template.Add == nil:
		return o, invalidArgument(op, "the template adds no handlers, and there are no PoolTenants")
	}
	err := o.limits.complete(op)
	return o, err
}
