package hyperlight

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// LoadedJSSandbox is a sandbox whose handlers take events; upstream's LoadedJSSandbox. Its methods may be
// called from any goroutine. Those that take a context take turns, first come, first served; the others
// answer at once, also while a call runs.
type LoadedJSSandbox struct {
	h     *handle[capi.LoadedSandbox]
	guest *guest
	slice timeslice
	cut   atomic.Pointer[cutOutput] // what the last call printed in vain, if it did
}

func newLoadedJSSandbox(native capi.LoadedSandbox, g *guest) *LoadedJSSandbox {
	s := &LoadedJSSandbox{h: newGuestHandle(native, capi.LoadedSandboxFree, g), guest: g}
	s.readStatus()
	closeWhenForgotten(s, s.h)
	return s
}

// CallOption configures one call of [LoadedJSSandbox.HandleEvent]; of the same option the last one counts,
// except for [WithMonitors]. Upstream has parameters and methods in their place.
type CallOption interface {
	RunOption
	BatchOption
	applyToCall(*callOptions)
}

type callOptions struct {
	gc         bool
	print      printing
	monitors   []Monitor
	stats      *ExecutionStats
	wantsStats bool
}

func (o *callOptions) check(op string) error {
	if o.wantsStats && o.stats == nil {
		return invalidArgument(op, "WithStats needs somewhere to put them, not nil")
	}
	return o.print.check(op)
}

// WithGC says whether the guest collects cyclic garbage after the handler; it does if this is not
// given, as upstream. Without it a call takes less than half the time, and such garbage stays until a
// call with it. Upstream: the gc parameter of handle_event.
func WithGC(gc bool) CallOption { return gcOption(gc) }

type gcOption bool

func (gc gcOption) applyToCall(o *callOptions)   { o.gc = bool(gc) }
func (gc gcOption) applyToRun(run *runOptions)   { run.call = append(run.call, gc) }
func (gc gcOption) applyToBatch(o *batchOptions) { gc.applyToCall(&o.callOptions) }

// HandleEvent runs the handler called name with an event, which is JSON, and returns its result, which
// is JSON and the caller's to keep. The state of the handler's module is kept from call to call. The event
// must not be changed during the call. Upstream: LoadedJSSandbox::handle_event, and with [WithMonitors]
// handle_event_with_monitor.
//
// When ctx ends, so does the wait for other calls of this sandbox, which go first; and the guest is stopped,
// which poisons the sandbox. While the guest waits for a host function, whose own context ends then, or for a
// print function or a file system, it is stopped when that returns. A ctx that ends costs a call a few percent;
// one that never does, like [context.Background], nothing. [WithMonitors] limits a call by other means.
//
// A call blocks an operating system thread. The shortest takes tens of microseconds.
//
// # Errors
//
// The sandbox stays ready after: [ErrInvalidJSON]; [ErrInvalidArgument] for a name that is empty, has a NUL
// byte, is no UTF-8, or does not fit into the output buffer, a nil ctx, and options that do not hold;
// [ErrHandlerNotFound]; [ErrJSException], and with it [ErrHostFunctionPanicked] if that is where it comes
// from; [ErrNoValue] when the handler returns nothing; [ErrBufferTooSmall] when the event does not fit into
// the input buffer; [ErrGuest]; [ErrMonitorFailedToStart]; and [ErrCancelled], if a trigger among the
// monitors had fired before.
//
// The sandbox is poisoned after: any other [ErrCancelled], which matches the error of ctx and its cause, too, if
// it was ctx that stopped the guest; [ErrOutOfMemory]; [ErrOutputTooBig] when the result does not fit into the
// output buffer; [ErrGuestAborted]; [ErrAccessViolation]; [ErrVMFailure]. From then on calls return
// [ErrPoisoned], until [LoadedJSSandbox.Restore] or [LoadedJSSandbox.Unload] recovers it.
//
// Nothing ran after: [ErrPoisoned], [ErrUnrecoverable], [ErrConsumed], [ErrClosed], [ErrReentrant], and the
// error of ctx without ErrCancelled. ErrClosed it is, too, if [LoadedJSSandbox.Close] stopped the guest.
func (s *LoadedJSSandbox) HandleEvent(ctx context.Context, name string, event []byte, opts ...CallOption) ([]byte, error) {
	s = orZero(s)
	ctx, span := s.guest.startCallSpan(ctx, spanHandleEvent, name)
	result, err := s.handleEvent(ctx, name, event, opts, span)
	return result, span.end(err)
}

func (s *LoadedJSSandbox) handleEvent(ctx context.Context, name string, event []byte, opts []CallOption, span span) ([]byte, error) {
	const op = "HandleEvent"
	o := callOptions{gc: true, print: s.guest.printing()}
	for _, opt := range opts {
		switch opt := opt.(type) {
		case nil:
			return nil, invalidArgument(op, "an option is nil")
		case gcOption: // The usual one. What others may keep a pointer to is allocated.
			o.gc = bool(opt)
		default:
			changed := o
			opt.applyToCall(&changed)
			o = changed
		}
	}
	if o.stats != nil {
		*o.stats = ExecutionStats{}
	}
	if err := o.check(op); err != nil {
		return nil, err
	}
	span.call(&o)
	accounts := o.wantsStats || span.records()
	s.slice.yieldIfLong()
	if err := s.h.enter(ctx, op); err != nil {
		return nil, err
	}
	defer s.leave()
	var monitors []capi.Monitor
	if len(o.monitors) > 0 {
		var err error
		if monitors, err = openMonitors(op, o.monitors); err != nil {
			return nil, err
		}
		defer closeMonitors(o.monitors, monitors)
	}
	var before uint64
	if accounts {
		_, before = s.readStats(s.h.native)
	}
	call := s.guest.enter(ctx, o.print)
	result, err := s.runEvent(name, event, o.gc, monitors, &call.guard)
	if err != nil {
		s.readStatus() // A success leaves the status as it was. What follows may panic: ctx, the tracer.
	}
	s.guest.leave(call)
	if accounts || call.output.dropped > 0 {
		s.account(&o, call, before, span)
	}
	span.after(s)
	if err != nil {
		return nil, call.explain(op, err)
	}
	return result, nil
}

// leave ends a call. s is reachable until then: else it would be closed as forgotten.
func (s *LoadedJSSandbox) leave() {
	s.h.leave()
	runtime.KeepAlive(s)
}

// runEvent runs a handler on the guest's thread.
func (s *LoadedJSSandbox) runEvent(name string, event []byte, gc bool, monitors []capi.Monitor, guard *capi.Guard) ([]byte, *capi.Error) {
	loaded, context := s.h.native, s.guest.stopper.native
	if s.guest.home.isHere() {
		return capi.LoadedSandboxHandleEvent(loaded, name, event, gc, monitors, context, guard)
	}
	return runThere(&s.guest.home, func() ([]byte, *capi.Error) {
		return capi.LoadedSandboxHandleEvent(loaded, name, event, gc, monitors, context, guard)
	})
}

// account notes what a call took, for whom it may concern.
func (s *LoadedJSSandbox) account(o *callOptions, call *guestCall, before uint64, span span) {
	stats, calls := s.readStats(s.h.native)
	if dropped := call.output.dropped; dropped > 0 {
		s.cut.Store(&cutOutput{calls, dropped})
		stats.PrintDropped = dropped
	}
	if calls == before {
		return
	}
	if o.wantsStats {
		*o.stats = stats
	}
	span.took(stats)
}

// Unload forgets all handlers and modules and restores the state before they were loaded, also from
// poisoned, with the configuration of New, and consumes s, also when it fails. Snapshots and interrupt
// handles stay usable. It costs as much as a [LoadedJSSandbox.Restore]. Upstream: LoadedJSSandbox::unload.
//
// ctx bounds the wait for other calls of this sandbox.
//
// # Errors
//
// [ErrUnrecoverable], [ErrConsumed], [ErrClosed]; [ErrInvalidArgument] for a nil ctx, [ErrReentrant], and the
// error of ctx, which consume nothing.
func (s *LoadedJSSandbox) Unload(ctx context.Context) (*JSSandbox, error) {
	s = orZero(s)
	ctx, span := s.guest.startSpan(ctx, spanUnload)
	sandbox, err := s.unload(ctx)
	return sandbox, span.end(err)
}

func (s *LoadedJSSandbox) unload(ctx context.Context) (*JSSandbox, error) {
	const op = "Unload"
	defer runtime.KeepAlive(s)
	if err := s.h.enter(ctx, op); err != nil {
		return nil, err
	}
	defer s.h.leave()
	native, err := capi.LoadedSandboxUnload(s.h.native)
	s.h.consume()
	if err != nil {
		return nil, nativeError(op, err)
	}
	s.guest.reconfigure(s.guest.original)
	if s.h.wasClosed() {
		capi.SandboxFree(native)
		return nil, s.h.unusable(op)
	}
	return newJSSandbox(native, s.guest), nil
}

// readStatus asks the native object, whose user the caller is.
func (s *LoadedJSSandbox) readStatus() {
	if status, err := capi.LoadedSandboxStatus(s.h.native); err == nil {
		s.h.status.Store(uint32(status))
	}
}

// Config is the configuration in effect: that of New, with the sizes of the snapshot that was restored
// last. It never waits. Upstream has none: its SandboxBuilder::get_config knows what was asked for.
func (s *LoadedJSSandbox) Config() Config { return orZero(s).guest.configuration() }

// Status is the state of the sandbox after the last finished call. It never waits for a running one.
// Upstream: LoadedJSSandbox::status.
func (s *LoadedJSSandbox) Status() Status { return orZero(s).h.currentStatus() }

// Close frees the sandbox and its micro-VM. If a call is running, it stops the guest, as the end of a context
// would: HandleEvent returns [ErrClosed], the context of its host functions ends, and the micro-VM is freed
// when the call has ended. Unload that is running returns ErrClosed, too, Snapshot and Restore their results,
// and calls that wait for their turn ErrClosed. Close never waits, also not for a guest, returns nil, and may
// be called more than once, and after the sandbox was consumed. Upstream drops it.
func (s *LoadedJSSandbox) Close() error {
	orZero(s).h.close()
	return nil
}
