package hyperlight

import (
	"context"
	"runtime"

	"go.opentelemetry.io/otel/trace"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// ProtoJSSandbox is a sandbox without a JavaScript runtime; upstream's ProtoJSSandbox. It is where host
// functions and the module loader are registered. Its methods may be called from any goroutine; they take
// turns.
type ProtoJSSandbox struct {
	h     *handle[capi.ProtoSandbox]
	guest *guest
}

// New makes a sandbox that has no JavaScript runtime yet. It loads the native library if that has not
// happened (see [Library]), and reserves memory, but boots nothing. Upstream: SandboxBuilder::new, its
// options, and build.
//
// # Errors
//
// [ErrMemorySize] when a size is below its minimum, or scratch cannot hold the buffers and the page
// tables of the heap, with the number that was given and the one that is needed; [ErrHostResources] when the thread
// that repeats interrupts cannot be started; [ErrInvalidArgument], [ErrNoHypervisor], [ErrUnsupported], and
// the errors of [Library].
func New(opts ...Option) (*ProtoJSSandbox, error) {
	const op = "New"
	if _, err := loadLibrary(op); err != nil {
		return nil, err
	}
	builder, nativeErr := capi.BuilderNew()
	if nativeErr != nil {
		return nil, nativeError(op, nativeErr)
	}
	defer capi.BuilderFree(builder)
	upstream, err := configOf(op, builder)
	if err != nil {
		return nil, err
	}
	o := options{ctx: context.Background(), upstream: upstream, print: printing{limit: DefaultPrintLimit}, config: Config{
		HeapSize:              DefaultHeapSize,
		ScratchSize:           DefaultScratchSize,
		InputBufferSize:       DefaultInputBufferSize,
		OutputBufferSize:      DefaultOutputBufferSize,
		InterruptRetryDelay:   upstream.InterruptRetryDelay,
		InterruptSignalOffset: upstream.InterruptSignalOffset,
	}}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalidArgument(op, "an option is nil")
		}
		opt.applyToSandbox(&o)
	}
	tracer, err := o.tracer(op)
	if err != nil {
		return nil, err
	}
	_, span := startSpan(o.ctx, tracer, spanBuild)
	proto, err := o.build(op, builder, tracer)
	return proto, span.end(err)
}

// build makes a sandbox that agrees with the options.
func (o *options) build(op string, builder capi.Builder, tracer trace.Tracer) (*ProtoJSSandbox, error) {
	if err := o.apply(op, builder); err != nil {
		return nil, err
	}
	config, err := configOf(op, builder)
	if err != nil {
		return nil, err
	}
	g, nativeErr := newGuest(config, o.print, o.apart)
	if nativeErr != nil {
		return nil, nativeError(op, nativeErr)
	}
	g.tracer = tracer
	if nativeErr := capi.BuilderSetPrint(builder, g.printed); nativeErr != nil {
		return nil, nativeError(op, nativeErr)
	}
	native, nativeErr := capi.BuilderBuild(builder)
	if nativeErr != nil {
		return nil, nativeError(op, nativeErr)
	}
	p := &ProtoJSSandbox{h: newGuestHandle(native, capi.ProtoSandboxFree, g), guest: g}
	closeWhenForgotten(p, p.h)
	return p, nil
}

// LoadRuntime boots the micro-VM and the JavaScript runtime in it, and consumes p, also when it fails.
// It is the expensive step: tens of milliseconds on real hardware. Upstream:
// ProtoJSSandbox::load_runtime. An empty handler is loaded and unloaded behind that, so that the first Load of yours
// can be stopped; metrics and logs do not show it.
//
// ctx bounds the wait for another goroutine that uses p; it does not interrupt the boot, which runs no code of yours.
//
// # Errors
//
// [ErrHypervisorUnusable] when the hypervisor cannot run a guest; [ErrHostResources] when memory or file
// descriptors have run out; [ErrOutOfMemory] when scratch is too small for the guest's own start, some
// 1 MiB above the least that New accepts; [ErrConsumed], [ErrClosed]; [ErrInvalidArgument] for a nil ctx, and
// the error of ctx, which consume nothing.
func (p *ProtoJSSandbox) LoadRuntime(ctx context.Context) (*JSSandbox, error) {
	p = orZero(p)
	ctx, span := p.guest.startSpan(ctx, spanLoadRuntime)
	sandbox, err := p.loadRuntime(ctx)
	return sandbox, span.end(err)
}

func (p *ProtoJSSandbox) loadRuntime(ctx context.Context) (*JSSandbox, error) {
	const op = "LoadRuntime"
	defer runtime.KeepAlive(p)
	if err := p.h.enter(ctx, op); err != nil {
		return nil, err
	}
	defer p.h.leave()
	native, err := run(&p.guest.home, func() (capi.Sandbox, *capi.Error) {
		return capi.ProtoSandboxLoadRuntime(p.h.native)
	})
	p.h.consume()
	if err != nil {
		return nil, nativeError(op, err)
	}
	if p.h.wasClosed() {
		capi.SandboxFree(native)
		return nil, p.h.unusable(op)
	}
	return newJSSandbox(native, p.guest), nil
}

// Config is the configuration in effect. It never waits. Upstream: SandboxBuilder::get_config, before build.
func (p *ProtoJSSandbox) Config() Config { return orZero(p).guest.configuration() }

// Status is [StatusReady], [StatusConsumed] or [StatusClosed]. It never waits. Upstream has none here.
func (p *ProtoJSSandbox) Status() Status { return orZero(p).h.currentStatus() }

// Close frees the sandbox; if LoadRuntime is running, when that ends, with [ErrClosed]. It never waits,
// returns nil, and may be called more than once, and after the sandbox was consumed. Upstream drops it.
func (p *ProtoJSSandbox) Close() error {
	orZero(p).h.close()
	return nil
}
