package hyperlight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// errLoadTime is why the context of a tenant's top-level code ends that runs for too long.
var errLoadTime = errors.New("the tenant's top-level code runs longer than TenantLimits.LoadTime allows")

// flight is the loading of one tenant by the request that leads it. Others wait for it without holding a sandbox.
type flight struct {
	key       string
	followers requestQueue
}

// find finds out what a request of a tenant wants: an image; or it follows a flight, or leads one. The pool's lock is
// held.
func (p *poolCore) find(r *request) error {
	found := p.images.find(r.key, time.Now)
	if found != nil {
		if found.failure != nil {
			return found.failure
		}
		p.images.hold(found)
		r.image = found
		return nil
	}
	if running := p.flights[r.key]; running != nil {
		if r.lineage.isAwaited(running) {
			return &Error{Op: r.op, Code: CodeReentrant, Message: fmt.Sprintf("tenant %q is loaded by the function that makes this call", r.key)}
		}
		r.follows = running
		return nil
	}
	r.leads = &flight{key: r.key}
	p.flights[r.key] = r.leads
	return nil
}

// arrive ends a flight with an image, or an error, for those that follow. The pool's lock is held.
func (p *poolCore) arrive(f *flight, landed *image, err error) {
	if p.flights[f.key] != f { // The tenant was forgotten meanwhile: who follows wants the new code.
		if landed != nil {
			landed.forgotten.Store(true)
		}
		p.abandon(f)
		return
	}
	delete(p.flights, f.key)
	if landed != nil {
		p.images.add(landed)
	}
	followers := f.followers
	f.followers = nil
	for _, r := range followers {
		r.follows = nil
		if err != nil {
			p.end(r, grant{err: err})
			continue
		}
		p.images.hold(landed)
		r.image = landed
		p.serve(r)
	}
}

// serve gives a request that waits for no flight any more a member, or puts it into the queue. The pool's lock is held.
func (p *poolCore) serve(r *request) {
	if m := p.idle.take(r.image); m != nil {
		p.give(m, r)
	} else {
		p.queue.insert(r)
	}
}

// abandon ends a flight without an answer. Of those that follow, the first leads one of its own, unless there is one
// by now that has begun since their tenant was forgotten. The pool's lock is held.
func (p *poolCore) abandon(f *flight) {
	if p.flights[f.key] == f {
		delete(p.flights, f.key)
	}
	followers := f.followers
	f.followers = nil
	for _, r := range followers {
		r.follows = nil
		err := p.find(r)
		switch {
		case err != nil:
			p.end(r, grant{err: err})
		case r.leads != nil:
			p.end(r, grant{})
		case r.follows != nil:
			r.follows.followers.insert(r)
		default:
			p.serve(r)
		}
	}
}

// load loads a request's tenant into a member, which has its image then. On failure the member is gone, or back with
// the others; if the member is to blame, the request leads the flight on.
func (p *poolCore) load(r *request, m *member) error {
	var sandbox *JSSandbox
	if err := p.orLose(m, func() (err error) {
		sandbox, err = m.loaded.Unload(context.WithoutCancel(r.ctx))
		return err
	}); err != nil {
		return err
	}
	p.occupy(m, nil, sandbox)
	landed := false
	defer func() { // Also when the source panics.
		if !landed {
			p.salvage(m)
			p.giveUp(r)
		}
	}()
	ctx := &leaseContext{Context: r.ctx, core: p, tenant: true, key: r.key, flight: r.leads}
	defer ctx.over.Store(true)
	if err := p.source(ctx, r.key, sandbox); err != nil {
		p.fail(r, err, false)
		return err
	}
	loaded, err := p.loadInTime(ctx, sandbox)
	if err != nil {
		p.fail(r, err, isLasting(err) && sandbox.Status() == StatusConsumed)
		return err
	}
	p.occupy(m, loaded, nil)
	snapshot, err := loaded.Snapshot(context.WithoutCancel(r.ctx))
	if err != nil {
		p.fail(r, err, false)
		return err
	}
	landed = true
	p.land(r, m, &image{tenant: true, key: r.key, snapshot: snapshot, bytes: snapshot.Size()})
	return nil
}

func (p *poolCore) loadInTime(ctx context.Context, sandbox *JSSandbox) (*LoadedJSSandbox, error) {
	timed, cancel := context.WithTimeoutCause(ctx, p.images.limits.LoadTime, errLoadTime)
	defer cancel()
	return sandbox.Load(timed)
}

// land ends a flight that succeeded.
func (p *poolCore) land(r *request, m *member, loaded *image) {
	p.mu.Lock()
	defer p.unlock()
	p.images.release(m.image)
	p.images.hold(loaded)
	m.image, m.fresh = loaded, false
	m.dirty.Store(false)
	f := r.leads
	r.leads = nil
	p.arrive(f, loaded, nil)
}

// isLasting says whether the load of some code fails again if it failed like this.
func isLasting(err error) bool {
	failure := (*Error)(nil)
	if !errors.As(err, &failure) {
		return true
	}
	return !slices.Contains([]Code{CodeHostResources, CodeClosed, CodeContextDone}, failure.Code)
}

// fail ends a flight that failed. What is the code's fault is remembered. If the leader's own context has ended,
// that says nothing to others, who go on without it.
func (p *poolCore) fail(r *request, err error, remember bool) {
	over := r.ctx.Err() != nil
	p.mu.Lock()
	defer p.unlock()
	f := r.leads
	r.leads = nil
	switch {
	case over:
		p.abandon(f)
	case remember:
		retry := time.Now().Add(p.images.limits.Retry)
		p.arrive(f, &image{tenant: true, key: r.key, failure: err, retry: retry}, err)
	default:
		p.arrive(f, nil, err)
	}
}

// giveUp has others lead a request's flight, if it still leads one.
func (p *poolCore) giveUp(r *request) {
	if r.leads == nil {
		return
	}
	p.mu.Lock()
	defer p.unlock()
	p.abandon(r.leads)
	r.leads = nil
}

// salvage makes a member usable again into which a tenant's code was not loaded: it costs much less than a new one.
func (p *poolCore) salvage(m *member) {
	if sandbox := m.loading; sandbox != nil {
		err := errors.Join(sandbox.ClearHandlers(), sandbox.ClearModules(), addNothing(sandbox))
		var loaded *LoadedJSSandbox
		if err == nil {
			loaded, err = sandbox.Load(context.Background())
		}
		if err != nil {
			p.lose(m)
			return
		}
		p.occupy(m, loaded, nil)
	}
	p.mu.Lock()
	defer p.unlock()
	p.clear(m)
	p.put(m)
}

// addNothing adds a handler that does nothing, since a sandbox needs one to be loaded.
func addNothing(sandbox *JSSandbox) error {
	return sandbox.AddHandler("nothing", Script("function handler() { return null; }"))
}
