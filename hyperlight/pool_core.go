package hyperlight

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// poolCore is what a pool's goroutines know, so that a forgotten Pool becomes unreachable.
//
// Each of its sandboxes is in one place: idle; with a goroutine that restores it; with one that boots it; or with
// a caller. One that comes back goes to whoever has waited longest, or else to the idle ones; so there are no idle
// ones while anyone waits.
type poolCore struct {
	template Template
	source   TenantSource
	size     int
	policy   RestorePolicy
	limit    int           // of those that wait
	parallel int           // how many goroutines may restore idle sandboxes
	stopped  chan struct{} // closed when the pool is
	drained  chan struct{} // closed when nothing is left of it

	preparing atomic.Int64  // sandboxes that are restored by those who wanted them
	restores  atomic.Uint64 // that have succeeded
	acquired  atomic.Uint64

	mu       sync.Mutex // It is released by unlock wherever something may have to be closed.
	base     *image     // of the template
	members  map[*member]struct{}
	idle     idleMembers
	queue    requestQueue
	images   *images
	flights  map[string]*flight
	tickets  uint64
	waiting  int // requests in the queue, and those that follow flights
	cleaners int // goroutines that restore idle sandboxes
	cleaning int // sandboxes that they restore
	booting  int // sandboxes that there are to be
	failing  error
	stats    PoolStats // totals

	closing bool
	forced  bool        // the sandboxes were closed under their users
	garbage []io.Closer // to be closed without the lock
	freeing int         // goroutines that do that
}

func newPoolCore(template Template, o poolOptions) *poolCore {
	p := &poolCore{
		template: template,
		source:   o.source,
		size:     o.size,
		policy:   o.policy,
		limit:    o.queue,
		parallel: runtime.GOMAXPROCS(0),
		stopped:  make(chan struct{}),
		drained:  make(chan struct{}),
		base:     &image{},
		members:  map[*member]struct{}{},
		flights:  map[string]*flight{},
		booting:  o.size,
	}
	p.images = newImages(o.limits, func(s *Snapshot) { p.garbage = append(p.garbage, s) })
	return p
}

// unlock also closes what is garbage, which takes a while, and finds out whether the pool is drained.
func (p *poolCore) unlock() {
	garbage := p.garbage
	p.garbage = nil
	if len(garbage) > 0 {
		p.freeing++
		p.mu.Unlock()
		for _, closer := range garbage {
			_ = closer.Close()
		}
		p.mu.Lock()
		p.freeing--
	}
	if p.closing && len(p.members)+p.booting+p.freeing+len(p.garbage) == 0 {
		select {
		case <-p.drained:
		default:
			close(p.drained)
		}
	}
	p.mu.Unlock()
}

// put gives a member to who has waited longest for one, or to nobody. The pool's lock is held.
func (p *poolCore) put(m *member) {
	if p.closing {
		p.discard(m)
		return
	}
	if m.image.forgotten.Load() {
		p.clear(m)
	}
	if r := p.queue.pop(); r != nil {
		p.give(m, r)
		return
	}
	p.idle.add(m)
	p.clean()
}

// assign has a member restored to an image that the caller holds, which is the member's from now on. The pool's lock is
// held.
func (p *poolCore) assign(m *member, wanted *image) {
	if m.image == wanted {
		p.images.release(wanted) // It has it already.
		return
	}
	p.images.release(m.image)
	m.image = wanted
	m.dirty.Store(true)
}

// clear has a member restored to what the template made it. The pool's lock is held.
func (p *poolCore) clear(m *member) {
	p.assign(m, p.base)
	m.dirty.Store(true)
	m.fresh = true
}

// restore makes a member's guest what its image says, if it is not.
func (p *poolCore) restore(ctx context.Context, m *member) error {
	if !m.dirty.Load() {
		return nil
	}
	if err := m.loaded.Restore(ctx, m.image.snapshot); err != nil {
		return err
	}
	p.restores.Add(1)
	m.dirty.Store(false)
	return nil
}

// clean has idle members restored, so that nobody has to wait for that, and nothing of their last users lies
// around. The pool's lock is held.
func (p *poolCore) clean() {
	if p.cleaners < min(p.idle.dirty(), p.parallel) {
		p.cleaners++
		go p.cleaner()
	}
}

func (p *poolCore) cleaner() {
	p.mu.Lock()
	for m := p.idle.takeDirty(); m != nil; m = p.idle.takeDirty() {
		p.cleaning++
		p.unlock()
		err := p.restore(context.Background(), m)
		p.mu.Lock()
		p.cleaning--
		if err != nil {
			p.replace(m)
		} else {
			p.put(m)
		}
	}
	p.cleaners--
	p.unlock()
}

// errNotEnded is what became of something that panicked.
var errNotEnded = errors.New("it has not ended")

// use has a member do something for its user. The error says whether the guest, or a host function, failed.
func (p *poolCore) use(ctx context.Context, m *member, do func(context.Context, *LoadedJSSandbox) error) (err error) {
	if p.policy == RestoreAfterCall {
		m.dirty.Store(true)
	}
	lease := &leaseContext{Context: ctx, core: p, tenant: m.image.tenant, key: m.image.key}
	err = errNotEnded
	defer func() {
		lease.over.Store(true)
		if p.policy == RestoreAfterError && leavesTrace(err) {
			m.dirty.Store(true)
		}
	}()
	return do(lease, m.loaded)
}

// leavesTrace says whether the guest ran in a call that ended like this, and did not succeed.
func leavesTrace(err error) bool {
	failure, ok := err.(*Error)
	if !ok {
		return err != nil
	}
	return !slices.Contains([]Code{
		CodeInvalidArgument, CodeInvalidJSON, CodeBufferTooSmall, CodeMonitorFailedToStart,
		CodeContextDone, CodeReentrant, CodeClosed, CodePoisoned,
	}, failure.Code)
}

// giveBack takes a member from its user.
func (p *poolCore) giveBack(m *member) {
	status := m.loaded.Status()
	p.mu.Lock()
	defer p.unlock()
	m.fresh = false
	switch status {
	case StatusReady:
	case StatusPoisoned:
		p.stats.Poisoned++
		m.dirty.Store(true)
	default:
		p.replace(m)
		return
	}
	p.put(m)
}

// forget has nobody get what the pool knows of a tenant.
func (p *poolCore) forget(key string) {
	p.mu.Lock()
	defer p.unlock()
	p.images.forget(key)
	if f := p.flights[key]; f != nil {
		p.abandon(f) // Whoever leads it finds out at its end, which nobody else waits for.
	}
	for _, m := range p.idle {
		if m.image.forgotten.Load() {
			p.clear(m)
		}
	}
	p.clean()
}

// occupy says what a member is in now, so that a pool that is closed can close it.
func (p *poolCore) occupy(m *member, loaded *LoadedJSSandbox, loading *JSSandbox) {
	p.mu.Lock()
	defer p.unlock()
	m.loading = loading
	if loaded != nil {
		m.loaded = loaded
	}
	if p.forced {
		p.garbage = append(p.garbage, m)
	}
}

// Close closes what the member is in.
func (m *member) Close() error {
	if m.loading != nil {
		_ = m.loading.Close()
	}
	return m.loaded.Close()
}

// discard closes a member. The pool's lock is held.
func (p *poolCore) discard(m *member) {
	delete(p.members, m)
	p.images.release(m.image)
	p.garbage = append(p.garbage, m)
}

// lose is replace for those without the lock.
func (p *poolCore) lose(m *member) {
	p.mu.Lock()
	defer p.unlock()
	p.replace(m)
}

// orLose does something with a member, which is lost if that fails, or panics, as a caller's tracer and context can.
func (p *poolCore) orLose(m *member, do func() error) error {
	err := errNotEnded
	defer func() {
		if err != nil {
			p.lose(m)
		}
	}()
	err = do()
	return err
}

// replace closes a member that nothing recovers, and has another one booted. The pool's lock is held.
func (p *poolCore) replace(m *member) {
	p.discard(m)
	if p.closing {
		return
	}
	p.stats.Replaced++
	p.booting++
	go p.reboot()
}
