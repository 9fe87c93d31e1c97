package hyperlight

import "context"

// HandleEvents runs a handler with many events in one of the sandboxes: Acquire, [Lease.HandleEvents], Release. The pool
// restores the sandbox after the batch, not between its events. Options and errors are those of
// [LoadedJSSandbox.HandleEvents], beside the errors of Acquire. Upstream has no batches.
func (p *Pool) HandleEvents(ctx context.Context, name string, events [][]byte, opts ...BatchOption) ([]EventResult, error) {
	return p.handleEvents(ctx, "Pool.HandleEvents", nil, name, events, opts)
}

// HandleTenantEvents is HandleEvents for the tenant with this key, with the errors of AcquireTenant. Upstream has no
// batches.
func (p *Pool) HandleTenantEvents(ctx context.Context, key, name string, events [][]byte, opts ...BatchOption) ([]EventResult, error) {
	return p.handleEvents(ctx, "Pool.HandleTenantEvents", &key, name, events, opts)
}

func (p *Pool) handleEvents(ctx context.Context, op string, key *string, name string, events [][]byte, opts []BatchOption) ([]EventResult, error) {
	resetStats(opts)
	b := pooledBatch{name: name, events: events, opts: opts}
	return b.end(p.use(ctx, op, key, b.run))
}

// HandleEvents is [LoadedJSSandbox.HandleEvents] in the lease's sandbox, and otherwise like HandleEvent. Upstream has no
// batches.
func (l *Lease) HandleEvents(ctx context.Context, name string, events [][]byte, opts ...BatchOption) ([]EventResult, error) {
	resetStats(opts)
	b := pooledBatch{name: name, events: events, opts: opts}
	return b.end(l.use(ctx, "Lease.HandleEvents", b.run))
}

// pooledBatch is a batch in a pool's sandbox.
type pooledBatch struct {
	name   string
	events [][]byte
	opts   []BatchOption

	ran     bool
	results []EventResult
	err     error
}

// run returns a failure that leaves a trace, if any event has one: that of the batch may be none.
func (b *pooledBatch) run(ctx context.Context, loaded *LoadedJSSandbox) error {
	b.ran = true
	b.results, b.err = loaded.HandleEvents(ctx, b.name, b.events, b.opts...)
	for _, result := range b.results {
		if leavesTrace(result.Err) {
			return result.Err
		}
	}
	return b.err
}

// end is the batch's outcome, or why there was no sandbox for it.
func (b *pooledBatch) end(err error) ([]EventResult, error) {
	if !b.ran {
		return nil, err
	}
	return b.results, b.err
}
