// Go runs the workloads of bench/ on this package. See ../README.md.
package main

import (
	"context"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func main() {
	runtime.LockOSThread() // As the other contestants, it stays on its thread.
	lifecycle()            // First: the cold start wants a process that has not done anything.
	events()
	hostFunctions()
	snapshots()
	pools()
	throughputs()
}

var (
	ctx   = context.Background()
	check = workload.Check
)

var sizes = []hyperlight.Option{
	hyperlight.WithHeapSize(workload.HeapBytes), hyperlight.WithScratchSize(workload.ScratchBytes),
	hyperlight.WithInputBufferSize(workload.BufferBytes), hyperlight.WithOutputBufferSize(workload.BufferBytes),
}

// start makes a sandbox with one handler, called "handler".
func start(source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	return startProto(newProto(opts...), source)
}

func startProto(proto *hyperlight.ProtoJSSandbox, source string) *hyperlight.LoadedJSSandbox {
	sandbox := boot(proto)
	check(sandbox.AddHandler("handler", hyperlight.Script(source)))
	return load(sandbox)
}

func newProto(opts ...hyperlight.Option) *hyperlight.ProtoJSSandbox {
	proto, err := hyperlight.New(append(opts, sizes...)...)
	check(err)
	return proto
}

func boot(proto *hyperlight.ProtoJSSandbox) *hyperlight.JSSandbox {
	sandbox, err := proto.LoadRuntime(ctx)
	check(err)
	return sandbox
}

func load(sandbox *hyperlight.JSSandbox) *hyperlight.LoadedJSSandbox {
	loaded, err := sandbox.Load(ctx)
	check(err)
	return loaded
}

func unload(loaded *hyperlight.LoadedJSSandbox) *hyperlight.JSSandbox {
	sandbox, err := loaded.Unload(ctx)
	check(err)
	return sandbox
}

func call(loaded *hyperlight.LoadedJSSandbox, event []byte, opts ...hyperlight.CallOption) {
	_, err := loaded.HandleEvent(ctx, "handler", event, opts...)
	check(err)
}

func snapshot(loaded *hyperlight.LoadedJSSandbox) *hyperlight.Snapshot {
	taken, err := loaded.Snapshot(ctx)
	check(err)
	return taken
}
