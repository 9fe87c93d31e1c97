package hyperlight

import (
	"context"
	"slices"
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

// lineage is the leaseContexts that a context was made from, the nearest first. It may outlive what they were for.
type lineage []*leaseContext

// lineageOf asks ctx, which may be a caller's own code: not for those who hold a lock.
func lineageOf(ctx context.Context) (leases lineage) {
	for ctx != nil {
		lease, _ := ctx.Value(leaseKey{}).(*leaseContext)
		if lease == nil {
			break
		}
		leases = append(leases, lease)
		ctx = lease.Context
	}
	return leases
}

// held is how many sandboxes of a pool wait for whoever has this lineage.
func (l lineage) held(p *poolCore) (count int) {
	for _, lease := range l {
		if lease.core == p && !lease.over.Load() {
			count++
		}
	}
	return count
}

// isAwaited says whether the loading of a tenant waits for whoever has this lineage.
func (l lineage) isAwaited(f *flight) bool {
	return slices.ContainsFunc(l, func(lease *leaseContext) bool { return lease.flight == f })
}

// TenantFromContext is the key of the tenant for whom a host function was called, or a [TenantSource]: ctx is what
// that got, or was made from it. Upstream has no contexts.
func TenantFromContext(ctx context.Context) (key string, ok bool) {
	for _, lease := range lineageOf(ctx) {
		if lease.tenant {
			return lease.key, true
		}
	}
	return "", false
}
