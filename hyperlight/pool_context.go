package hyperlight

import (
	"context"
	"sync/atomic"
)

// leaseContext is the context of what runs in a pool's sandbox. Contexts made from it carry the tenant, and know
// which sandboxes wait for whoever has them.
type leaseContext struct {
	context.Context
	core   *poolCore
	tenant bool
	key    string
	flight *flight // that it is part of, while the tenant is loaded
	over   atomic.Bool
}

type leaseKey struct{}

// Value finds the leaseContext that is nearest. Upstream has no contexts.
func (c *leaseContext) Value(key any) any {
	if key == (leaseKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// leasesOf goes through the leaseContexts that ctx was made from, until visit has enough.
func leasesOf(ctx context.Context, visit func(*leaseContext) (enough bool)) {
	for ctx != nil {
		lease, _ := ctx.Value(leaseKey{}).(*leaseContext)
		if lease == nil || visit(lease) {
			return
		}
		ctx = lease.Context
	}
}

// leasesAbove is how many sandboxes of a pool wait for whoever has ctx, which may outlive what they waited for.
func leasesAbove(ctx context.Context, p *poolCore) (count int) {
	leasesOf(ctx, func(lease *leaseContext) bool {
		if lease.core == p && !lease.over.Load() {
			count++
		}
		return false
	})
	return count
}

// waitsForFlight says whether the loading of a tenant waits for whoever has ctx.
func waitsForFlight(ctx context.Context, f *flight) (waits bool) {
	leasesOf(ctx, func(lease *leaseContext) bool {
		waits = lease.flight == f
		return waits
	})
	return waits
}

// TenantFromContext is the key of the tenant for whom a host function was called, or a [TenantSource]: ctx is what
// that got, or was made from it. Upstream has no contexts.
func TenantFromContext(ctx context.Context) (key string, ok bool) {
	leasesOf(ctx, func(lease *leaseContext) bool {
		key, ok = lease.key, lease.tenant
		return ok
	})
	return key, ok
}
