package hyperlight

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// The names of our spans. They are few: nothing that a caller or a guest chooses is in them.
const (
	spanBuild        = "hyperlight.build"
	spanLoadRuntime  = "hyperlight.load_runtime"
	spanLoad         = "hyperlight.load"
	spanHandleEvent  = "hyperlight.handle_event"
	spanHandleEvents = "hyperlight.handle_events"
	spanSnapshot     = "hyperlight.snapshot"
	spanRestore      = "hyperlight.restore"
	spanUnload       = "hyperlight.unload"
	spanHostFunction = "hyperlight.host_function"
	spanKill         = "hyperlight.kill"
)

// Their attributes. Those of errors and exceptions are OpenTelemetry's semantic conventions.
const (
	handlerNameKey      = attribute.Key("hyperlight.handler.name")
	gcKey               = attribute.Key("hyperlight.gc")
	batchEventsKey      = attribute.Key("hyperlight.batch.events")
	batchTakenKey       = attribute.Key("hyperlight.batch.taken")
	batchFailedKey      = attribute.Key("hyperlight.batch.failed")
	batchIndexKey       = attribute.Key("hyperlight.batch.index")
	wallTimeKey         = attribute.Key("hyperlight.call.wall_time")
	cpuTimeKey          = attribute.Key("hyperlight.call.cpu_time")
	monitorKey          = attribute.Key("hyperlight.monitor")
	statusKey           = attribute.Key("hyperlight.sandbox.status")
	functionModuleKey   = attribute.Key("hyperlight.host_function.module")
	functionNameKey     = attribute.Key("hyperlight.host_function.name")
	killSentKey         = attribute.Key("hyperlight.kill.signal_sent")
	errorTypeKey        = attribute.Key("error.type")
	exceptionTypeKey    = attribute.Key("exception.type")
	exceptionMessageKey = attribute.Key("exception.message")
	exceptionStackKey   = attribute.Key("exception.stacktrace")
)

// span is one of ours. Its zero value is none, and costs nothing but a look at it.
type span struct{ otel trace.Span }

// startSpan begins a span below that of ctx; the new ctx holds it. Without a tracer there is none, and neither for a
// nil ctx, which methods refuse.
func startSpan(ctx context.Context, tracer trace.Tracer, name string) (context.Context, span) {
	if tracer == nil || ctx == nil {
		return ctx, span{}
	}
	ctx, otel := tracer.Start(ctx, name)
	return ctx, span{otel}
}

// startSpan begins the span of a method. That of a zero value has none.
func (g *guest) startSpan(ctx context.Context, name string) (context.Context, span) {
	if g == nil {
		return ctx, span{}
	}
	return startSpan(ctx, g.tracer, name)
}

// startCallSpan is startSpan for what calls a handler. A sampler may want to know the handler.
func (g *guest) startCallSpan(ctx context.Context, name, handler string) (context.Context, span) {
	if g == nil || g.tracer == nil || ctx == nil {
		return ctx, span{}
	}
	ctx, otel := g.tracer.Start(ctx, name, trace.WithAttributes(handlerNameKey.String(spanText(handler))))
	return ctx, span{otel}
}

// records says whether attributes go anywhere.
func (s span) records() bool { return s.otel != nil && s.otel.IsRecording() }

// end ends the span of a method that returns err.
func (s span) end(err error) error {
	if s.otel != nil {
		if err != nil && s.otel.IsRecording() {
			s.failed(err)
		}
		s.otel.End()
	}
	return err
}

func (s span) failed(err error) {
	s.otel.SetAttributes(errorTypeKey.String(errorKind(err)))
	s.otel.SetStatus(codes.Error, spanText(err.Error()))
	e, ok := err.(*Error)
	if !ok {
		return
	}
	if e.Monitor != "" {
		s.otel.SetAttributes(monitorKey.String(e.Monitor))
	}
	if e.Exception != nil {
		kind := string(e.Exception.Thrown)
		if e.Exception.Thrown == ThrownError {
			kind = "Error" // Which one upstream does not tell.
		}
		s.exception(kind, e.Exception.Error(), e.Exception.Stack)
	}
}

func (s span) exception(kind, message, stack string) {
	attributes := []attribute.KeyValue{exceptionTypeKey.String(kind), exceptionMessageKey.String(spanText(message))}
	if stack != "" {
		attributes = append(attributes, exceptionStackKey.String(spanText(stack)))
	}
	s.otel.AddEvent("exception", trace.WithAttributes(attributes...))
}

// after notes what the sandbox is now. Only its user may ask: the next may change it.
func (s span) after(sandbox *LoadedJSSandbox) {
	if s.records() {
		s.otel.SetAttributes(statusKey.String(sandbox.Status().String()))
	}
}

// call notes how a handler is called.
func (s span) call(o *callOptions) {
	if s.records() {
		s.otel.SetAttributes(gcKey.Bool(o.gc))
	}
}

// batch notes how many events there are, and what became of those that were taken up.
func (s span) batch(events int, taken []EventResult) {
	if !s.records() {
		return
	}
	failed := 0
	for _, event := range taken {
		if event.Err != nil {
			failed++
		}
	}
	s.otel.SetAttributes(batchEventsKey.Int(events), batchTakenKey.Int(len(taken)), batchFailedKey.Int(failed))
}

// took notes what a handler's call took.
func (s span) took(stats ExecutionStats) {
	if !s.records() {
		return
	}
	attributes := []attribute.KeyValue{wallTimeKey.Float64(stats.WallClock.Seconds())}
	if stats.HasCPUTime {
		attributes = append(attributes, cpuTimeKey.Float64(stats.CPUTime.Seconds()))
	}
	if stats.TerminatedBy != "" {
		attributes = append(attributes, monitorKey.String(stats.TerminatedBy))
	}
	s.otel.SetAttributes(attributes...)
}

// startSpan begins the span of a call of the function. What implements spans is not ours, and native frames are below,
// so it is guarded as the function is.
func (f *hostFunction) startSpan(ctx context.Context) (context.Context, span) {
	if f.guest.tracer == nil {
		return ctx, span{}
	}
	inside, started := ctx, span{}
	f.guest.guarded(func() {
		inside, started.otel = f.guest.tracer.Start(ctx, spanHostFunction,
			trace.WithAttributes(functionModuleKey.String(f.module), functionNameKey.String(f.name)))
		if call := f.guest.call.Load(); call != nil && started.records() {
			if event, ok := call.currentEvent(); ok {
				started.otel.SetAttributes(batchIndexKey.Int64(int64(event)))
			}
		}
	})
	return inside, started
}

// endSpan ends it.
func (f *hostFunction) endSpan(s span, failure *hostFailure) {
	if s.otel == nil {
		return
	}
	f.guest.guarded(func() {
		if failure != nil && s.otel.IsRecording() {
			s.hostFailed(failure)
		}
		s.otel.End()
	})
}

func (s span) hostFailed(failure *hostFailure) {
	s.otel.SetAttributes(errorTypeKey.String(errorKind(failure.err)))
	s.otel.SetStatus(codes.Error, spanText(failure.text))
	if panicked, ok := failure.err.(*HostPanic); ok {
		s.exception("*hyperlight.HostPanic", failure.text, string(panicked.Stack))
	}
}

// startSpan begins a span below that of the call that runs. There is none if none runs.
func (i *InterruptHandle) startSpan() span {
	if i == nil || i.guest == nil || i.guest.tracer == nil {
		return span{}
	}
	call := i.guest.call.Load()
	if call == nil {
		return span{}
	}
	_, kill := startSpan(call.caller, i.guest.tracer, spanKill)
	return kill
}

// endKill ends it.
func (s span) endKill(sent bool) {
	if s.otel == nil {
		return
	}
	if s.otel.IsRecording() {
		s.otel.SetAttributes(killSentKey.Bool(sent))
	}
	s.otel.End()
}

// errorKind is one of few words for the kind of an error.
func errorKind(err error) string {
	if _, ok := err.(*HostPanic); ok {
		return errorWords(ErrHostFunctionPanicked)
	}
	var e *Error
	switch {
	case !errors.As(err, &e):
		return fmt.Sprintf("%T", err)
	case len(kinds[e.Code].sentinels) == 0:
		return "context_done" // It matches the context's own error.
	}
	return errorWords(kinds[e.Code].sentinels[0])
}

func errorWords(sentinel error) string {
	return strings.ToLower(strings.ReplaceAll(sentinel.Error(), " ", "_"))
}

// spanText makes a text, which a caller or a guest may have chosen, one that exporters take: some lose all they have
// for one that is not UTF-8, and nobody bounds its length.
func spanText(text string) string {
	const most = 8 << 10
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	end := most
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + " [cut]"
}
