package main

import (
	"context"
	"maps"
	"slices"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// strategy answers events by guests.
type strategy interface {
	handle(ctx context.Context, event []byte) ([]byte, error)
	close()
}

// strategies are those of upstream's public load test, by name, each for so many sandboxes at a time: what a
// request finds of the one before.
var strategies = map[string]func(ctx context.Context, sandboxes int) (strategy, error){
	// Everything.
	"reuse": func(ctx context.Context, sandboxes int) (strategy, error) {
		return newPooled(ctx, sandboxes, hyperlight.KeepState)
	},
	// Nothing: memory is as it was before the call.
	"restore": func(ctx context.Context, sandboxes int) (strategy, error) {
		return newPooled(ctx, sandboxes, hyperlight.RestoreAfterCall)
	},
	// Nothing: the handler is unloaded, added and loaded. That is what upstream's test calls restore.
	"reload": newReloaded,
	// Nothing: a new virtual machine.
	"renew": newRenewed,
}

func names() []string { return slices.Sorted(maps.Keys(strategies)) }

// source is the handler of upstream's own benchmarks. Tests have another.
var source = workload.Redirect

func template() hyperlight.Template {
	return hyperlight.Template{
		Options: []hyperlight.Option{
			hyperlight.WithHeapSize(workload.HeapBytes), hyperlight.WithScratchSize(workload.ScratchBytes),
			hyperlight.WithInputBufferSize(workload.BufferBytes), hyperlight.WithOutputBufferSize(workload.BufferBytes),
		},
		Add: add,
	}
}

func add(sandbox *hyperlight.JSSandbox) error {
	return sandbox.AddHandler("handler", hyperlight.Script(source))
}

type pooled struct{ *hyperlight.Pool }

func newPooled(ctx context.Context, sandboxes int, policy hyperlight.RestorePolicy) (strategy, error) {
	pool, err := hyperlight.NewPool(ctx, template(), hyperlight.PoolSize(sandboxes), hyperlight.PoolPolicy(policy))
	return pooled{pool}, err
}

func (p pooled) handle(ctx context.Context, event []byte) ([]byte, error) {
	return p.HandleEvent(ctx, "handler", event)
}

func (p pooled) close() { workload.Check(p.Close(context.Background())) }

// reloaded is a number of sandboxes, those that nobody uses in the channel.
type reloaded struct {
	free chan *hyperlight.LoadedJSSandbox
}

func newReloaded(ctx context.Context, sandboxes int) (strategy, error) {
	r := reloaded{make(chan *hyperlight.LoadedJSSandbox, sandboxes)}
	for range sandboxes {
		loaded, err := template().Load(ctx)
		if err != nil {
			r.close()
			return nil, err
		}
		r.free <- loaded
	}
	return r, nil
}

// handle loads the handler again before it answers. A request that ends early does not keep it from that.
func (r reloaded) handle(ctx context.Context, event []byte) ([]byte, error) {
	var loaded *hyperlight.LoadedJSSandbox
	select {
	case loaded = <-r.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	result, err := loaded.HandleEvent(ctx, "handler", event)
	workload.Check(err) // A sandbox less would be another benchmark.
	sandbox, err := loaded.Unload(context.Background())
	workload.Check(err)
	workload.Check(add(sandbox))
	loaded, err = sandbox.Load(context.Background())
	workload.Check(err)
	r.free <- loaded
	return result, nil
}

func (r reloaded) close() {
	for range len(r.free) {
		workload.Check((<-r.free).Close())
	}
}

// renewed makes a sandbox for each event. The channel holds the right to have one.
type renewed struct{ turns chan struct{} }

func newRenewed(_ context.Context, sandboxes int) (strategy, error) {
	return renewed{make(chan struct{}, sandboxes)}, nil
}

func (r renewed) handle(ctx context.Context, event []byte) ([]byte, error) {
	select {
	case r.turns <- struct{}{}:
		defer func() { <-r.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	loaded, err := template().Load(ctx)
	if err != nil {
		return nil, err
	}
	defer loaded.Close()
	return loaded.HandleEvent(ctx, "handler", event)
}

func (renewed) close() {}
