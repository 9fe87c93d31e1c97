package hyperlight

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// member is a sandbox of a pool. Whoever took it out of the pool's lists uses it alone.
type member struct {
	loaded *LoadedJSSandbox
	image  *image      // what it was, or is to be, restored to
	dirty  atomic.Bool // it is to be restored before somebody gets it
	fresh  bool        // nobody has used it
	// loading is what it is while a tenant's code is loaded into it.
	loading *JSSandbox
}

// How well a member suits who wants an image, from worst to best.
const (
	anothers     = iota + 1 // it has another image, and the one used least recently is to lose it
	unused                  // nobody has used it yet, so nobody loses anything
	needsRestore            // it has the image, and is to be restored
	right                   // it has the image, and nobody's state in it
)

func (m *member) suits(wanted *image) int {
	switch {
	case m.image == wanted && !m.dirty.Load():
		return right
	case m.image == wanted:
		return needsRestore
	case m.fresh:
		return unused
	default:
		return anothers
	}
}

// idleMembers are those that nobody uses, in the order in which they came. Who uses it has the pool's lock.
type idleMembers []*member

// take removes the member that suits best, or gives nil. To load a tenant, wanted is nil.
func (l *idleMembers) take(wanted *image) *member {
	best, found := 0, -1
	for i, m := range slices.Backward(*l) {
		suits := m.suits(wanted)
		if suits > best || suits == anothers && best == anothers {
			best, found = suits, i
		}
		if best == right {
			break
		}
	}
	if found < 0 {
		return nil
	}
	return l.remove(found)
}

// takeDirty removes a member that is to be restored, or gives nil.
func (l *idleMembers) takeDirty() *member {
	for i, m := range *l {
		if m.dirty.Load() {
			return l.remove(i)
		}
	}
	return nil
}

// dirty is how many are to be restored.
func (l idleMembers) dirty() (count int) {
	for _, m := range l {
		if m.dirty.Load() {
			count++
		}
	}
	return count
}

func (l *idleMembers) add(m *member) { *l = append(*l, m) }

func (l *idleMembers) remove(i int) *member {
	m := (*l)[i]
	*l = slices.Delete(*l, i, i+1)
	return m
}

// request is a caller that wants a sandbox.
type request struct {
	ctx     context.Context
	done    <-chan struct{} // of ctx
	lineage lineage         // of ctx
	op      string
	tenant  bool
	key     string

	ticket uint64 // its place in any queue: who came first has the lowest
	image  *image // what it wants, once that is known

	granted chan grant    // made when it has to wait
	began   time.Time     // when that was
	waited  time.Duration // since then, when a wait was over
	follows *flight       // it waits for somebody else to load its tenant
	leads   *flight       // it is the one that loads it
}

// grant ends a wait: with a member, an error, or the order to load the tenant.
type grant struct {
	member *member
	err    error
}

// requestQueue holds requests in the order of their tickets. Who uses it has the pool's lock.
type requestQueue []*request

func (q requestQueue) search(r *request) (int, bool) {
	return slices.BinarySearchFunc(q, r.ticket, func(other *request, ticket uint64) int {
		return cmp.Compare(other.ticket, ticket)
	})
}

func (q *requestQueue) insert(r *request) {
	i, _ := q.search(r)
	*q = slices.Insert(*q, i, r)
}

// remove says whether it was there.
func (q *requestQueue) remove(r *request) bool {
	i, found := q.search(r)
	if found {
		*q = slices.Delete(*q, i, i+1)
	}
	return found
}

// pop removes the first, or gives nil.
func (q *requestQueue) pop() *request {
	if len(*q) == 0 {
		return nil
	}
	first := (*q)[0]
	(*q)[0] = nil
	*q = (*q)[1:]
	return first
}
