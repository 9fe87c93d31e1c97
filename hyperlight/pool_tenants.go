package hyperlight

import (
	"context"
	"fmt"
	"time"
)

// TenantSource adds the handlers and modules of the tenant with this key to a sandbox that has none; in general it
// reads them from somewhere, and calls AddHandler and AddModule. A pool calls it when a tenant without a
// snapshot is wanted, on the goroutine of one of those that want it: not twice at a time for one tenant, unless
// [Pool.Forget] comes meanwhile, but at any time for several. ctx is that caller's, and carries the key ([TenantFromContext]). Upstream has no pools.
//
// The sandbox is the pool's: it must not be loaded, closed, or kept.
type TenantSource func(ctx context.Context, key string, sandbox *JSSandbox) error

// TenantLimits bounds what a pool's tenants cost. A field that is zero means its default. Upstream has no pools.
type TenantLimits struct {
	// Tenants is how many snapshots are kept; [DefaultTenants]. When there are more, the one that was used
	// least recently goes, and its tenant is loaded again when it is wanted again. A tenant that a sandbox
	// is still restored to costs nothing to keep, and need not be loaded again, too.
	Tenants int
	// Bytes is how much memory these snapshots may take; [DefaultTenantBytes]. [Snapshot.Size] tells what one takes.
	Bytes int64
	// LoadTime bounds the time that a tenant's top-level code may run; [DefaultTenantLoadTime].
	LoadTime time.Duration
	// Retry is for how long the pool remembers that a tenant's code cannot be loaded; [DefaultTenantRetry].
	// Until then those that want it get the same error, since each attempt costs a sandbox.
	Retry time.Duration
}

// complete puts the defaults in.
func (l *TenantLimits) complete(op string) error {
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"Tenants", int64(l.Tenants)}, {"Bytes", l.Bytes}, {"LoadTime", int64(l.LoadTime)}, {"Retry", int64(l.Retry)},
	} {
		if limit.value < 0 {
			return invalidArgument(op, fmt.Sprintf("the limit %s of the tenants is %d, below zero", limit.name, limit.value))
		}
	}
	if l.Tenants == 0 {
		l.Tenants = DefaultTenants
	}
	if l.Bytes == 0 {
		l.Bytes = DefaultTenantBytes
	}
	if l.LoadTime == 0 {
		l.LoadTime = DefaultTenantLoadTime
	}
	if l.Retry == 0 {
		l.Retry = DefaultTenantRetry
	}
	return nil
}
