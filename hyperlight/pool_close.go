package hyperlight

import (
	"context"
	"io"
	"runtime"
)

// Close ends the pool. Callers that wait for a sandbox get [ErrClosed] at once, and so does who comes later. Sandboxes in
// use may be used until ctx ends: then they are closed under their users, whose calls return [ErrClosed], and Close
// returns the error of ctx. It returns nil once nothing is left of the pool, no sandbox and no goroutine that
// boots or restores one. It may be called more than once, at any time. A pool that is forgotten without Close is
// closed some time after it became unreachable, which it does not as long as there are leases of it. Upstream has
// no pools.
//
// # Errors
//
// The error of ctx; [ErrReentrant], when Close is called with the context of a function that one of the pool's
// sandboxes waits for, which would wait for itself; [ErrInvalidArgument] for a nil ctx. The last two close
// nothing.
func (p *Pool) Close(ctx context.Context) error {
	const op = "Pool.Close"
	if p == nil || p.core == nil {
		return nil
	}
	if ctx == nil {
		return invalidArgument(op, "ctx is nil; pass context.Background()")
	}
	if lineageOf(ctx).held(p.core) > 0 {
		return &Error{Op: op, Code: CodeReentrant, Message: "a sandbox of the pool waits for the function that makes this call"}
	}
	defer runtime.KeepAlive(p)
	p.core.shut()
	select {
	case <-p.core.drained:
		return nil
	default:
	}
	select {
	case <-p.core.drained:
		return nil
	case <-ctx.Done():
		p.core.force()
		cause := causeOf(ctx)
		return &Error{Op: op, Code: CodeContextDone, Message: "some of the pool's sandboxes were in use: " + cause.Error(), cause: cause}
	}
}

// shut has nobody get a sandbox any more, and closes those that nobody uses.
func (p *poolCore) shut() {
	p.mu.Lock()
	defer p.unlock()
	if p.closing {
		return
	}
	p.closing = true
	close(p.stopped)
	for r := p.queue.pop(); r != nil; r = p.queue.pop() {
		p.end(r, grant{err: p.closedError(r.op)})
	}
	for _, f := range p.flights {
		for r := f.followers.pop(); r != nil; r = f.followers.pop() {
			r.follows = nil
			p.end(r, grant{err: p.closedError(r.op)})
		}
	}
	clear(p.flights)
	for _, m := range p.idle {
		p.discard(m)
	}
	p.idle = nil
	p.images.clear()
	if p.base.snapshot != nil {
		p.garbage = append(p.garbage, p.base.snapshot)
	}
}

// force closes all sandboxes under their users.
func (p *poolCore) force() {
	p.mu.Lock()
	p.forced = true
	var inUse []io.Closer
	for m := range p.members {
		inUse = append(inUse, m.loaded)
		if m.loading != nil {
			inUse = append(inUse, m.loading)
		}
	}
	p.unlock()
	for _, closer := range inUse {
		_ = closer.Close()
	}
}

// abort closes everything at once.
func (p *poolCore) abort() {
	p.shut()
	p.force()
}
