package hyperlight

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// attempts is how many sandboxes are tried for one request, when they fail while they are prepared for it.
const attempts = 3

// acquire gives a member to a caller who will use it alone until giveBack. key is that of a tenant, unless it is nil.
func (p *poolCore) acquire(ctx context.Context, op string, key *string) (*member, error) {
	if ctx == nil {
		return nil, invalidArgument(op, "ctx is nil; pass context.Background()")
	}
	if ctx.Err() != nil {
		return nil, contextError(op, ctx)
	}
	if key != nil && p.source == nil {
		return nil, invalidArgument(op, "the pool has no tenants; PoolTenants makes one that has")
	}
	r := &request{ctx: ctx, done: ctx.Done(), lineage: lineageOf(ctx), op: op}
	if key != nil {
		r.tenant, r.key = true, *key
	}
	defer p.giveUp(r)
	for attempt := 1; ; {
		m, err := p.obtain(r)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue // It leads a flight now.
		}
		loads := r.leads != nil
		if loads {
			err = p.load(r, m)
		} else {
			err = p.prepare(ctx, m)
		}
		switch {
		case err == nil && !m.image.forgotten.Load():
			p.acquired.Add(1)
			return m, nil
		case err == nil: // There is new code for the tenant.
			p.mu.Lock()
			p.put(m)
			p.unlock()
		case loads && r.leads == nil, attempt == attempts:
			return nil, err
		default:
			attempt++
		}
	}
}

// prepare restores a member for who is to use it, if need be. What was begun is not left half done. On failure the
// member is gone.
func (p *poolCore) prepare(ctx context.Context, m *member) error {
	if !m.dirty.Load() {
		return nil
	}
	p.preparing.Add(1)
	defer p.preparing.Add(-1)
	return p.orLose(m, func() error { return p.restore(context.WithoutCancel(ctx), m) })
}

// obtain waits for a member, which may have to be restored. It gives none when the request has to load its tenant,
// and to come again.
func (p *poolCore) obtain(r *request) (*member, error) {
	m, err := p.seek(r)
	if m != nil || err != nil {
		return m, err
	}
	select {
	case granted := <-r.granted:
		return granted.member, granted.err
	case <-r.done:
	}
	return nil, p.withdraw(r)
}

// seek finds a member that is idle, or else gets the request in line.
func (p *poolCore) seek(r *request) (*member, error) {
	p.mu.Lock()
	defer p.unlock()
	if p.closing {
		return nil, p.closedError(r.op)
	}
	if r.ticket == 0 {
		p.tickets++
		r.ticket = p.tickets
	}
	if !r.tenant {
		r.image = p.base
	} else if r.leads == nil {
		if err := p.find(r); err != nil {
			return nil, err
		}
		if r.image != nil {
			p.stats.TenantHits++
		} else {
			p.stats.TenantMisses++
		}
	}
	if r.follows == nil {
		if m := p.idle.take(r.image); m != nil {
			p.prefer(m, r)
			return m, nil
		}
	}
	if err := p.line(r); err != nil {
		p.unhold(r)
		return nil, err
	}
	return nil, nil
}

// line gets a request in line. The pool's lock is held.
func (p *poolCore) line(r *request) error {
	first := r.granted == nil // Who was let in once is not turned away.
	// Who waits for a sandbox that is only restored waits for nobody.
	if first && p.waiting-p.cleaning >= p.limit {
		message := fmt.Sprintf("all %d sandboxes are in use, and %d callers wait, as many as PoolQueue allows", p.size, p.waiting)
		return &Error{Op: r.op, Code: CodePoolFull, Message: message}
	}
	if r.lineage.held(p) >= p.size {
		return &Error{Op: r.op, Code: CodeReentrant, Message: "all sandboxes of the pool wait for the function that makes this call"}
	}
	if first {
		r.granted = make(chan grant, 1)
		r.began = time.Now()
		p.stats.Waited++
	}
	p.waiting++
	if r.follows != nil {
		r.follows.followers.insert(r)
	} else {
		p.queue.insert(r)
	}
	return nil
}

// prefer has a member restored to what a request wants, if it does not have that. The pool's lock is held.
func (p *poolCore) prefer(m *member, r *request) {
	if r.image != nil {
		p.assign(m, r.image)
		r.image = nil
	}
}

// unhold releases the image that a request was to get. The pool's lock is held.
func (p *poolCore) unhold(r *request) {
	if r.image != nil {
		p.images.release(r.image)
		r.image = nil
	}
}

// give ends a request's wait with a member. The pool's lock is held.
func (p *poolCore) give(m *member, r *request) {
	p.prefer(m, r)
	p.end(r, grant{member: m})
}

// end ends a request's wait. The pool's lock is held.
func (p *poolCore) end(r *request, granted grant) {
	p.waiting--
	waited := time.Since(r.began)
	p.stats.WaitTime += waited - r.waited // It may have come back.
	r.waited = waited
	p.stats.LongestWait = max(p.stats.LongestWait, waited)
	p.unhold(r)
	r.granted <- granted
}

// withdraw takes a request out of line whose context has ended. What it was given at the same time goes to others.
func (p *poolCore) withdraw(r *request) error {
	p.mu.Lock()
	defer p.unlock()
	switch {
	case r.follows != nil && r.follows.followers.remove(r), p.queue.remove(r):
		p.end(r, grant{})
	default:
		if granted := <-r.granted; granted.member != nil {
			p.put(granted.member)
		}
	}
	cause := causeOf(r.ctx)
	message := "no sandbox of the pool became free: " + cause.Error()
	if p.failing != nil {
		message += "; the last boot failed: " + p.failing.Error()
		cause = errors.Join(cause, p.failing)
	}
	return &Error{Op: r.op, Code: CodeContextDone, Message: message, cause: cause}
}

func (p *poolCore) closedError(op string) error {
	return &Error{Op: op, Code: CodeClosed, Message: "the pool is closed"}
}
