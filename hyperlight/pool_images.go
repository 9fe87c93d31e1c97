package hyperlight

import (
	"container/list"
	"sync/atomic"
	"time"
)

// image is what a pool restores sandboxes to: the template's snapshot, or a tenant's.
type image struct {
	tenant   bool
	key      string
	snapshot *Snapshot
	bytes    int64

	// forgotten says that nobody is to get it any more. It is set with the pool's lock held, and read without.
	forgotten atomic.Bool

	// For tenants' images:
	holders int           // the cache, sandboxes, and callers that wait for a sandbox with it
	cached  *list.Element // its place in the cache, or nil
	failure error         // instead of a snapshot: why there is none
	retry   time.Time     // until then
}

// images are the tenants' images of a pool. It is nothing but bookkeeping: who uses it has the pool's lock.
type images struct {
	limits TenantLimits
	drop   func(*Snapshot) // called with what nobody holds any more

	known     map[string]*image // also those that only sandboxes and callers hold
	recent    list.List         // those in the cache, what was used last in front
	tenants   int               // of these, those with a snapshot
	bytes     int64             // that these snapshots hold
	evictions uint64            // how many were dropped without being forgotten
	closed    bool
}

func newImages(limits TenantLimits, drop func(*Snapshot)) *images {
	return &images{limits: limits, drop: drop, known: map[string]*image{}}
}

// find is the image of a tenant, which may be a failure; or nil. One that was evicted, but that a sandbox still
// has, costs nothing to keep.
func (i *images) find(key string, now func() time.Time) *image {
	found := i.known[key]
	switch {
	case found == nil:
		return nil
	case found.failure != nil && now().After(found.retry):
		i.uncache(found)
		return nil
	case found.cached == nil:
		i.cache(found)
	default:
		i.recent.MoveToFront(found.cached)
	}
	return found
}

// add makes an image known, which the caller holds: if it is too big for the cache, only the caller does.
func (i *images) add(added *image) {
	i.known[added.key] = added
	i.cache(added)
}

// cache keeps an image, and not more than the limits allow. One that is larger than all of them together is left
// to those who hold it, and nobody else loses his for it.
func (i *images) cache(added *image) {
	if added.bytes > i.limits.Bytes {
		return
	}
	added.cached = i.recent.PushFront(added)
	i.hold(added)
	i.bytes += added.bytes
	if added.failure == nil {
		i.tenants++
	}
	for i.recent.Len() > i.limits.Tenants || i.bytes > i.limits.Bytes {
		i.uncache(i.recent.Back().Value.(*image))
	}
}

func (i *images) uncache(old *image) {
	i.recent.Remove(old.cached)
	old.cached = nil
	i.bytes -= old.bytes
	if old.failure == nil {
		i.tenants--
	}
	i.release(old)
}

// hold keeps an image from being dropped, until release. The template's is never dropped.
func (i *images) hold(held *image) {
	if held.tenant {
		held.holders++
	}
}

func (i *images) release(held *image) {
	if !held.tenant {
		return
	}
	if held.holders--; held.holders > 0 {
		return
	}
	if i.known[held.key] == held {
		delete(i.known, held.key)
	}
	if held.failure != nil {
		return
	}
	if !held.forgotten.Load() && !i.closed {
		i.evictions++
	}
	i.drop(held.snapshot)
}

// forget makes an image unknown, whoever holds it.
func (i *images) forget(key string) {
	old := i.known[key]
	if old == nil {
		return
	}
	delete(i.known, key)
	old.forgotten.Store(true)
	if old.cached != nil {
		i.uncache(old)
	}
}

// clear empties the cache for good. What is dropped from then on is no eviction.
func (i *images) clear() {
	i.closed = true
	for i.recent.Len() > 0 {
		i.uncache(i.recent.Back().Value.(*image))
	}
}
