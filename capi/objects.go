package capi

// The opaque types of the ABI. The zero value is NULL.
type (
	// Builder is hljs_builder.
	Builder struct{ ptr uintptr }
	// HostCall is hljs_host_call. It is valid until the HostFunction that got it returns.
	HostCall struct{ ptr uintptr }
	// File is hljs_file. It is lent to FileTree.Read, and of no use afterwards.
	File struct{ ptr uintptr }
	// ProtoSandbox is hljs_proto_sandbox.
	ProtoSandbox struct{ ptr uintptr }
	// Context is hljs_context.
	Context struct{ ptr uintptr }
	// Sandbox is hljs_sandbox.
	Sandbox struct{ ptr uintptr }
	// Monitor is hljs_monitor.
	Monitor struct{ ptr uintptr }
	// LoadedSandbox is hljs_loaded_sandbox.
	LoadedSandbox struct{ ptr uintptr }
	// Batch is hljs_batch.
	Batch struct{ ptr uintptr }
	// InterruptHandle is hljs_interrupt_handle.
	InterruptHandle struct{ ptr uintptr }
	// Snapshot is hljs_snapshot.
	Snapshot struct{ ptr uintptr }
)

// Config is what the _get_config functions read back. Sizes are in bytes, the delay in nanoseconds.
type Config struct {
	HeapSize, ScratchSize             uint64
	InputBufferSize, OutputBufferSize uint64
	InterruptRetryDelay               uint64
	InterruptSignalOffset             uint8
}

// Stats is what hljs_loaded_sandbox_last_call_stats and hljs_batch_stats tell. Times are in nanoseconds; HasCPUTime is 0 or 1.
type Stats struct {
	Calls              uint64
	WallClock, CPUTime uint64
	HasCPUTime         uint32
}
