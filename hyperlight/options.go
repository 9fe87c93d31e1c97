package hyperlight

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// The defaults of [New]. Heap is copied into every snapshot and dominates what a sandbox costs to
// boot and to keep; scratch is wiped at every restore; buffers cost next to nothing but live in
// scratch. RATIONALE.md has the figures. Upstream's are less: [WithUpstreamDefaults].
const (
	// DefaultHeapSize is the size of the guest's heap in bytes.
	DefaultHeapSize = 8 << 20
	// DefaultScratchSize is the size of the guest's scratch region in bytes.
	DefaultScratchSize = 16 << 20
	// DefaultInputBufferSize is the size of the buffer from host to guest in bytes.
	DefaultInputBufferSize = 1 << 20
	// DefaultOutputBufferSize is the size of the buffer from guest to host in bytes.
	DefaultOutputBufferSize = 1 << 20
)

// Config is the configuration of a sandbox, as it is in effect. Sizes are in bytes. Upstream:
// SandboxConfiguration.
type Config struct {
	// HeapSize is what [WithHeapSize] sets.
	HeapSize int
	// ScratchSize is what [WithScratchSize] sets.
	ScratchSize int
	// InputBufferSize is what [WithInputBufferSize] sets.
	InputBufferSize int
	// OutputBufferSize is what [WithOutputBufferSize] sets.
	OutputBufferSize int
	// InterruptRetryDelay is what [WithInterruptRetryDelay] sets.
	InterruptRetryDelay time.Duration
	// InterruptSignalOffset is what [WithInterruptSignalOffset] sets.
	InterruptSignalOffset uint8
}

// Option configures a sandbox. Options are checked by [New]; later ones win. Upstream: the methods of
// SandboxBuilder, of which some ignore or change what does not suit them. New refuses that instead.
type Option interface {
	RunOption
	applyToSandbox(*options)
}

type option func(*options)

func (o option) applyToSandbox(all *options) { o(all) }
func (o option) applyToRun(run *runOptions)  { run.sandbox = append(run.sandbox, o) }

type options struct {
	config   Config
	upstream Config
	print    printing
	apart    bool

	crashdump *bool
	debugging *uint16

	tracerProvider trace.TracerProvider
	wantsSpans     bool
	ctx            context.Context // what the span of New is below
}

// WithHeapSize sets the size of the guest's heap, at least 4 MiB; [DefaultHeapSize] if not given. A
// guest that needs more than this, or more than scratch can hold, aborts: [ErrOutOfMemory]. The guest's
// allocator deals in powers of two, so a request of just over 1 MiB takes 2. Upstream:
// SandboxBuilder::with_guest_heap_size, which ignores smaller values.
func WithHeapSize(bytes int) Option {
	return option(func(o *options) { o.config.HeapSize = bytes })
}

// WithScratchSize sets the size of the scratch region, at least 1 MiB and a multiple of 4 KiB;
// [DefaultScratchSize] if not given. It holds both buffers and a copy of every page that the guest has
// written to (heap, stack and globals) since it was loaded or last restored: to fill the heap, a guest
// needs that much scratch, and a few MiB more. Upstream: SandboxBuilder::with_guest_scratch_size, which
// ignores smaller values.
func WithScratchSize(bytes int) Option {
	return option(func(o *options) { o.config.ScratchSize = bytes })
}

// WithInputBufferSize sets the size of the buffer from host to guest, at least 8 KiB;
// [DefaultInputBufferSize] if not given. It bounds events, scripts, modules, the names of all host functions
// together, and results of each. Upstream: SandboxBuilder::with_guest_input_buffer_size, which raises
// smaller values.
func WithInputBufferSize(bytes int) Option {
	return option(func(o *options) { o.config.InputBufferSize = bytes })
}

// WithOutputBufferSize sets the size of the buffer from guest to host, at least 8 KiB;
// [DefaultOutputBufferSize] if not given. It bounds results, and arguments of host functions. Upstream:
// SandboxBuilder::with_guest_output_buffer_size, which raises smaller values.
func WithOutputBufferSize(bytes int) Option {
	return option(func(o *options) { o.config.OutputBufferSize = bytes })
}

// WithInterruptRetryDelay sets the pause between two signals of an interrupt, which is repeated until
// the guest stops; 500 µs if not given. A call that was stopped returns after about one such pause at most. 0 is the
// shortest pause that the kernel knows, some 50 µs, and [Config] has it as a nanosecond. Upstream:
// SandboxBuilder::with_interrupt_retry_delay, which takes 0 for no pause: then signals queue up faster than the
// guest's thread takes them, and it may never stop.
func WithInterruptRetryDelay(delay time.Duration) Option {
	return option(func(o *options) { o.config.InterruptRetryDelay = delay })
}

// WithInterruptSignalOffset chooses the signal that interrupts a guest: SIGRTMIN plus offset; 0 if not
// given. Use the same for all sandboxes, and leave it at 0 unless something else in this process owns
// SIGRTMIN: it is the one real-time signal that the Go runtime never handles itself. Upstream:
// SandboxBuilder::set_interrupt_vcpu_sigrtmin_offset.
func WithInterruptSignalOffset(offset uint8) Option {
	return option(func(o *options) { o.config.InterruptSignalOffset = offset })
}

// WithCrashdump turns core dumps of the guest on or off; in a library with the feature crashdump they are
// on if this is not given. [JSSandbox.GenerateCrashdump] says where they appear and what they hold.
// New returns [ErrUnsupported], also for false, unless the library was built with that feature. Upstream:
// SandboxBuilder::with_crashdump_enabled.
func WithCrashdump(enabled bool) Option {
	return option(func(o *options) { o.crashdump = &enabled })
}

// WithDebugging makes the guest wait for gdb on this TCP port of localhost: LoadRuntime stops it at its first
// instruction until a debugger has connected and lets it go on; if the port is taken, it does not wait. That
// takes hardware breakpoints, which the emulated machine of the tests has not. New returns
// [ErrUnsupported] unless the library was built by `./build.sh --features gdb`, which also turns on the
// debug assertions that upstream wants for it. Upstream: SandboxBuilder::with_debugging_enabled.
func WithDebugging(port uint16) Option {
	return option(func(o *options) { o.debugging = &port })
}

// WithHostGoroutines has each host function, print function, writer and file system run on a goroutine like any
// other. Without it they run on coroutines, as those of [iter.Pull] are, which cost a third as much; but Go ends
// the process when a function leaves its goroutine locked to the thread ([runtime.LockOSThread] without an unlock), or
// calls the next or stop of an iter.Pull that was made outside of it. Give this to sandboxes whose functions do.
// Upstream has none: its functions run on the guest's thread.
func WithHostGoroutines() Option { return option(func(o *options) { o.apart = true }) }

// WithUpstreamDefaults gives all sizes the values that upstream has (SandboxBuilder::new): heap 4 MiB,
// scratch 1 MiB, and buffers of 16 KiB, which few real scripts fit into. Options after it still win.
func WithUpstreamDefaults() Option {
	return option(func(o *options) {
		o.config.HeapSize = o.upstream.HeapSize
		o.config.ScratchSize = o.upstream.ScratchSize
		o.config.InputBufferSize = o.upstream.InputBufferSize
		o.config.OutputBufferSize = o.upstream.OutputBufferSize
	})
}

// apply makes the native builder agree with the options.
func (o *options) apply(op string, builder capi.Builder) error {
	for _, size := range []struct {
		name  string
		bytes int
		set   func(capi.Builder, uint64) *capi.Error
	}{
		{"heap size", o.config.HeapSize, capi.BuilderSetHeapSize},
		{"scratch size", o.config.ScratchSize, capi.BuilderSetScratchSize},
		{"input buffer size", o.config.InputBufferSize, capi.BuilderSetInputBufferSize},
		{"output buffer size", o.config.OutputBufferSize, capi.BuilderSetOutputBufferSize},
		{"interrupt retry delay", int(o.config.InterruptRetryDelay), capi.BuilderSetInterruptRetryDelay},
	} {
		if size.bytes < 0 {
			return invalidArgument(op, fmt.Sprintf("%s is %d, below zero", size.name, size.bytes))
		}
		if err := size.set(builder, uint64(size.bytes)); err != nil {
			return nativeError(op, err)
		}
	}
	if err := capi.BuilderSetInterruptSignalOffset(builder, o.config.InterruptSignalOffset); err != nil {
		return nativeError(op, err)
	}
	if o.crashdump != nil {
		if err := capi.BuilderSetCrashdumpEnabled(builder, *o.crashdump); err != nil {
			return nativeError(op, err)
		}
	}
	if o.debugging != nil {
		if err := capi.BuilderSetDebuggingPort(builder, *o.debugging); err != nil {
			return nativeError(op, err)
		}
	}
	return o.print.check(op)
}

// configOf reads a builder's configuration back.
func configOf(op string, builder capi.Builder) (Config, error) {
	config, err := capi.BuilderGetConfig(builder)
	return configFrom(config), nativeError(op, err)
}

func configFrom(config capi.Config) Config {
	return Config{
		HeapSize:              int(config.HeapSize),
		ScratchSize:           int(config.ScratchSize),
		InputBufferSize:       int(config.InputBufferSize),
		OutputBufferSize:      int(config.OutputBufferSize),
		InterruptRetryDelay:   time.Duration(config.InterruptRetryDelay),
		InterruptSignalOffset: config.InterruptSignalOffset,
	}
}
