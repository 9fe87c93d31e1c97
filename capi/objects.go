package capi

// The opaque types of the ABI. The zero value is NULL.
type (
	// Builder is hljs_builder.
	Builder struct{ ptr uintptr }
	// ProtoSandbox is hljs_proto_sandbox.
	ProtoSandbox struct{ ptr uintptr }
	// Sandbox is hljs_sandbox.
	Sandbox struct{ ptr uintptr }
	// LoadedSandbox is hljs_loaded_sandbox.
	LoadedSandbox struct{ ptr uintptr }
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
