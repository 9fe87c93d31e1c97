package main

import (
	"context"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	// handlerName is in stack traces as "./handler.js", by which the page finds its own lines.
	handlerName = "handler"
	handlerFile = "./" + handlerName + ".js"

	bufferBytes = 256 << 10
	// besidesHeap is what scratch has to hold beside the pages of the heap: both buffers, 2 MiB, and room to recurse.
	besidesHeap = 4 << 20
	// topLevelPrintBytes is what the top-level code may print. Calls have a limit that visitors choose.
	topLevelPrintBytes = 16 << 10
)

// boot makes the micro-VM, with a heap of that many MiB. What it prints goes to print.
func boot(ctx context.Context, heap int, store *store, print func(string)) (*hyperlight.JSSandbox, error) {
	proto, err := hyperlight.New(
		hyperlight.WithHeapSize(heap<<20),
		hyperlight.WithScratchSize(heap<<20+besidesHeap),
		hyperlight.WithInputBufferSize(bufferBytes),
		hyperlight.WithOutputBufferSize(bufferBytes),
		hyperlight.WithPrintFunc(print),
		hyperlight.WithPrintLimit(topLevelPrintBytes),
	)
	if err != nil {
		return nil, err
	}
	if err := store.register(proto); err != nil {
		_ = proto.Close()
		return nil, err
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		_ = proto.Close() // a context that had ended before consumes nothing
	}
	return sandbox, err
}

// load compiles the source and runs its top-level code, for no longer than limit. The sandbox is lost if it fails.
func load(ctx context.Context, sandbox *hyperlight.JSSandbox, source string, limit time.Duration) (*hyperlight.LoadedJSSandbox, error) {
	if err := sandbox.AddHandler(handlerName, hyperlight.Script(source)); err != nil {
		_ = sandbox.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errLoadTime)
	defer cancel()
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		_ = sandbox.Close() // a context that had ended before consumes nothing
		return nil, err
	}
	return loaded, nil
}

// ending is what ends the context of a run.
type ending string

func (e ending) Error() string { return string(e) }

const (
	errLoadTime ending = "the top-level code ran for longer than the wall clock allows"
	errStopped  ending = "stopped by the visitor"
	errShutdown ending = "the playground shuts down"
	errGone     ending = "the visitor has gone"
)
