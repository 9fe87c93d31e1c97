package hyperlight

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// WithTracerProvider has what happens to the sandbox told as OpenTelemetry spans, through a tracer that is named
// like the import path of this package. Without it there are no spans, and nothing is paid for them; give it
// otel.GetTracerProvider() to use the process's own. A nil provider is an [ErrInvalidArgument]. Upstream has none:
// its spans are those of the Rust crate tracing ([WithSpans]), which know no parent in Go.
//
//	hyperlight.build             New
//	hyperlight.load_runtime      ProtoJSSandbox.LoadRuntime
//	hyperlight.load              JSSandbox.Load
//	hyperlight.handle_event      LoadedJSSandbox.HandleEvent
//	hyperlight.handle_events     LoadedJSSandbox.HandleEvents; one for the batch, not for each event
//	hyperlight.snapshot          LoadedJSSandbox.Snapshot
//	hyperlight.restore           LoadedJSSandbox.Restore
//	hyperlight.unload            LoadedJSSandbox.Unload
//	hyperlight.host_function     a host function that the guest calls
//	hyperlight.kill              InterruptHandle.Kill, if a call runs
//
// Each is as long as the method takes, the wait for other calls of the sandbox included, and a child of the span in the
// method's ctx. New has no ctx, so its span is a root, unless [Run], [Template.Load] or [NewPool] calls it. What a [Pool]
// does in the background is a root, too; what a caller waits for, like the restore of the sandbox that it gets, is below
// the caller's span. The parent of a host function's span is the handle_event, handle_events or load that runs; the
// function's ctx holds the function's span, so that spans which it makes, and what it does with other sandboxes, are
// below. The parent of a kill is what it stops. All are of kind internal: nothing leaves the process.
//
// # Attributes
//
//   - hyperlight.handler.name: of handle_event. It is not part of the span's name, which must not be anything that a
//     caller asks for.
//   - hyperlight.gc: of handle_event; see [WithGC].
//   - hyperlight.batch.events, hyperlight.batch.taken, hyperlight.batch.failed: of handle_events; how many events there
//     were, how many were taken up, and how many of these failed, which is all that shows of those that do not end the
//     batch. Its other attributes are those of handle_event; times are sums.
//   - hyperlight.call.wall_time, hyperlight.call.cpu_time: of handle_event, in seconds; see [ExecutionStats]. Missing
//     if the call did not enter the guest, and the second if it is not known.
//   - hyperlight.monitor: of handle_event and load; what has stopped the guest, as [Error].Monitor says, or fired just
//     as it finished.
//   - hyperlight.sandbox.status: of handle_event, snapshot and restore; the [Status] after it, as its String says.
//     Missing if it did not begin.
//   - hyperlight.host_function.module, hyperlight.host_function.name: of host_function; and hyperlight.batch.index, that of
//     the event which called it, in a batch.
//   - hyperlight.kill.signal_sent: of kill; its result.
//   - error.type: of what failed; the words of the first sentinel that the error matches, like "out_of_memory" or
//     "javascript_exception", or "context_done"; and the type of a host function's error that is not of this package.
//
// What failed has the status Error, with the error's text. A JavaScript exception that the guest did not catch is
// also an event "exception" of its call, and a panic of a host function one of the function's span, with
// exception.message, exception.stacktrace, and exception.type, which is "Error" or another [Thrown] for JavaScript's,
// and "*hyperlight.HostPanic". Events, results, arguments and output are never put into spans; but a guest chooses
// the text of its exceptions, so treat texts as data. Those of more than 8 KiB are cut off, with " [cut]" at the end.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return option(func(o *options) { o.tracerProvider, o.wantsSpans = provider, true })
}

// below makes the span of New one below that of ctx, for those who have one.
func below(ctx context.Context) Option {
	return option(func(o *options) { o.ctx = ctx })
}

// tracer is what the options ask for, or nil. The library is loaded.
func (o *options) tracer(op string) (trace.Tracer, error) {
	switch {
	case !o.wantsSpans:
		return nil, nil
	case o.tracerProvider == nil:
		return nil, invalidArgument(op, "the tracer provider is nil")
	}
	const name = "github.com/hyperlight-go/hyperlight-js/hyperlight"
	return o.tracerProvider.Tracer(name, trace.WithInstrumentationVersion(capi.Version())), nil
}
