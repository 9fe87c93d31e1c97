package hyperlight_test

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	otel "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	base "go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// recorder is a TracerProvider that keeps all spans. OpenTelemetry's SDK would have the main module depend on it; the
// module otelmetrics has tests with that.
type recorder struct {
	base.TracerProvider
	drop func(name string) bool // nil: all spans record

	mu    sync.Mutex
	spans []*recordedSpan
}

type recordedSpan struct {
	noop.Span  // for what is not recorded
	recorder   *recorder
	tracer     string
	name       string
	kind       trace.SpanKind
	context    trace.SpanContext
	parent     trace.SpanContext
	recording  bool
	attributes map[string]any
	status     codes.Code
	text       string // of the status
	events     []recordedEvent
	ended      int
}

type recordedEvent struct {
	name       string
	attributes map[string]any
}

// Tracer makes tracers that are told apart by name and version.
func (r *recorder) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	config := trace.NewTracerConfig(opts...)
	return &recordingTracer{recorder: r, name: name + "@" + config.InstrumentationVersion()}
}

type recordingTracer struct {
	base.Tracer
	recorder *recorder
	name     string
}

// Start also keeps the trace's id, as an SDK does.
func (t *recordingTracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	r := t.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	config := trace.NewSpanStartConfig(opts...)
	parent := trace.SpanContextFromContext(ctx)
	var spanID trace.SpanID
	binary.BigEndian.PutUint64(spanID[:], uint64(len(r.spans)+1))
	traceID := parent.TraceID()
	if !traceID.IsValid() {
		copy(traceID[:], spanID[:])
	}
	span := &recordedSpan{
		recorder: r, tracer: t.name, name: name, kind: trace.ValidateSpanKind(config.SpanKind()),
		context: trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled}),
		parent:  parent, recording: r.drop == nil || !r.drop(name), attributes: map[string]any{},
	}
	add(span.attributes, config.Attributes())
	r.spans = append(r.spans, span)
	return trace.ContextWithSpan(ctx, span), span
}

func add(all map[string]any, attributes []otel.KeyValue) {
	for _, one := range attributes {
		all[string(one.Key)] = one.Value.AsInterface()
	}
}

func (s *recordedSpan) change(change func()) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	change()
}

func (s *recordedSpan) End(...trace.SpanEndOption)     { s.change(func() { s.ended++ }) }
func (s *recordedSpan) IsRecording() bool              { return s.recording }
func (s *recordedSpan) SpanContext() trace.SpanContext { return s.context }

func (s *recordedSpan) SetStatus(code codes.Code, text string) {
	s.change(func() { s.status, s.text = code, text })
}

func (s *recordedSpan) SetAttributes(attributes ...otel.KeyValue) {
	s.change(func() { add(s.attributes, attributes) })
}

func (s *recordedSpan) AddEvent(name string, opts ...trace.EventOption) {
	event := recordedEvent{name, map[string]any{}}
	config := trace.NewEventConfig(opts...)
	add(event.attributes, config.Attributes())
	s.change(func() { s.events = append(s.events, event) })
}

// all are the spans so far, as they begin, which then are forgotten. All must have ended once.
func (r *recorder) all(t *testing.T) []*recordedSpan {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	spans := slices.Clone(r.spans)
	for i := range r.spans {
		r.spans[i] = nil // Ids go on.
	}
	spans = slices.DeleteFunc(spans, func(span *recordedSpan) bool { return span == nil })
	for _, span := range spans {
		require.Equal(t, 1, span.ended, "%s has ended once", span.name)
	}
	return spans
}

// one is all, of which there must be one.
func (r *recorder) one(t *testing.T) *recordedSpan {
	t.Helper()
	spans := r.all(t)
	require.Len(t, spans, 1)
	return spans[0]
}

// spanTree shows spans and their parents among them, each as its name below that of its parent.
func spanTree(spans []*recordedSpan) []string {
	var lines []string
	var add func(parent trace.SpanID, indent string)
	add = func(parent trace.SpanID, indent string) {
		for _, span := range spans {
			if span.parent.SpanID() == parent {
				lines = append(lines, indent+span.name)
				add(span.context.SpanID(), indent+"  ")
			}
		}
	}
	add(trace.SpanID{}, "")
	return lines
}
