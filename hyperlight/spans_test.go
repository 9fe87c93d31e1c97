package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestSpansOfALife(t *testing.T) {
	spans := &recorder{}
	users := spans.Tracer("users")
	proto := newProto(t, hyperlight.WithTracerProvider(spans))
	require.NoError(t, proto.Register("host", "work", func(ctx context.Context) {
		_, span := users.Start(ctx, "work")
		span.End()
	}))
	ctx, root := users.Start(t.Context(), "root")
	sandbox, err := proto.LoadRuntime(ctx)
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("greet", hyperlight.Script(`
		import * as host from "host";
		host.work();
		export function handler(event) { host.work(); host.work(); return event; }`)))
	loaded, err := sandbox.Load(ctx)
	require.NoError(t, err)
	snapshot, err := loaded.Snapshot(ctx)
	require.NoError(t, err)
	closeWith(t, snapshot)
	_, err = loaded.HandleEvent(ctx, "greet", []byte(`{}`), hyperlight.WithGC(false))
	require.NoError(t, err)
	require.NoError(t, loaded.Restore(ctx, snapshot))
	sandbox, err = loaded.Unload(ctx)
	require.NoError(t, err)
	closeWith(t, sandbox)
	root.End()

	found := spans.all(t)
	assert.Equal(t, []string{
		"hyperlight.build",
		"root",
		"  hyperlight.load_runtime",
		"  hyperlight.load",
		"    hyperlight.host_function",
		"      work",
		"  hyperlight.snapshot",
		"  hyperlight.handle_event",
		"    hyperlight.host_function",
		"      work",
		"    hyperlight.host_function",
		"      work",
		"  hyperlight.restore",
		"  hyperlight.unload",
	}, spanTree(found))

	info, err := hyperlight.Library()
	require.NoError(t, err)
	for _, span := range found {
		assert.Equal(t, codes.Unset, span.status, span.name)
		assert.Empty(t, span.events, span.name)
		switch span.name {
		case "root", "work":
			continue
		case "hyperlight.handle_event":
			wall, _ := span.attributes["hyperlight.call.wall_time"].(float64)
			assert.Positive(t, wall)
			assert.Less(t, wall, 60.0, "seconds")
			cpu, _ := span.attributes["hyperlight.call.cpu_time"].(float64)
			assert.Positive(t, cpu)
			delete(span.attributes, "hyperlight.call.wall_time")
			delete(span.attributes, "hyperlight.call.cpu_time")
			assert.Equal(t, map[string]any{
				"hyperlight.handler.name": "greet", "hyperlight.gc": false, "hyperlight.sandbox.status": "ready",
			}, span.attributes)
		case "hyperlight.host_function":
			assert.Equal(t, map[string]any{
				"hyperlight.host_function.module": "host", "hyperlight.host_function.name": "work",
			}, span.attributes)
		case "hyperlight.snapshot", "hyperlight.restore":
			assert.Equal(t, map[string]any{"hyperlight.sandbox.status": "ready"}, span.attributes)
		default:
			assert.Empty(t, span.attributes, span.name)
		}
		assert.Equal(t, trace.SpanKindInternal, span.kind)
		assert.Equal(t, "github.com/hyperlight-go/hyperlight-js/hyperlight@"+info.Version, span.tracer)
	}
}

func TestSpansOfRun(t *testing.T) {
	spans := &recorder{}
	ctx, root := spans.Tracer("users").Start(t.Context(), "root")
	_, err := hyperlight.Run(ctx, counter, []byte(`{}`), hyperlight.WithTracerProvider(spans))
	require.NoError(t, err)
	root.End()
	assert.Equal(t, []string{
		"root", "  hyperlight.build", "  hyperlight.load_runtime", "  hyperlight.load", "  hyperlight.handle_event",
	}, spanTree(spans.all(t)))

	var none context.Context
	_, err = hyperlight.Run(none, counter, []byte(`{}`), hyperlight.WithTracerProvider(spans))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.Empty(t, spans.all(t))
}

// failure is what a span says of one.
type failure struct {
	kind    string // error.type
	monitor string
	status  string // of the sandbox
	event   string // exception.type
}

func failureOf(t *testing.T, span *recordedSpan, err error) failure {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, codes.Error, span.status)
	assert.Equal(t, err.Error(), span.text)
	var f failure
	f.kind, _ = span.attributes["error.type"].(string)
	f.monitor, _ = span.attributes["hyperlight.monitor"].(string)
	f.status, _ = span.attributes["hyperlight.sandbox.status"].(string)
	if len(span.events) > 0 {
		require.Len(t, span.events, 1)
		assert.Equal(t, "exception", span.events[0].name)
		f.event, _ = span.events[0].attributes["exception.type"].(string)
	}
	return f
}

func TestSpansOfFailedCalls(t *testing.T) {
	spans := &recorder{}
	loaded := loadHandler(t, `function handler(event) {
		while (event.loop) {}
		if (event.fail) throw new TypeError("no");
	}`, hyperlight.WithTracerProvider(spans))
	snapshot := takeSnapshot(t, loaded)
	spans.all(t)
	trigger := newTrigger(t, "operator")
	trigger.Fire()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, test := range []struct {
		name, handler, event string
		ctx                  context.Context
		opts                 []hyperlight.CallOption
		expected             failure
		ran                  bool
	}{
		{name: "no handler", handler: "missing", event: `{}`, expected: failure{"handler_not_found", "", "ready", ""}, ran: true},
		{name: "no value", handler: "handler", event: `{}`, expected: failure{"no_value", "", "ready", ""}, ran: true},
		{
			name: "an exception", handler: "handler", event: `{"fail":true}`, ran: true,
			expected: failure{"javascript_exception", "", "ready", "Error"},
		},
		{name: "bad JSON", handler: "handler", event: `{`, expected: failure{"invalid_json", "", "ready", ""}},
		{
			name: "an option that does not hold", handler: "handler", event: `{}`, opts: []hyperlight.CallOption{nil},
			expected: failure{"invalid_argument", "", "", ""},
		},
		{name: "an ended context", handler: "handler", event: `{}`, ctx: ended, expected: failure{"context_done", "", "", ""}},
		{
			name: "a trigger that had fired", handler: "handler", event: `{}`,
			opts:     []hyperlight.CallOption{hyperlight.WithMonitors(trigger)},
			expected: failure{"cancelled", "operator", "ready", ""},
		},
		{
			name: "a limit", handler: "handler", event: `{"loop":true}`, ran: true,
			opts:     []hyperlight.CallOption{hyperlight.WithMonitors(hyperlight.WallClock(50 * time.Millisecond))},
			expected: failure{"cancelled", "wall-clock", "poisoned", ""},
		},
		{name: "a poisoned sandbox", handler: "handler", event: `{}`, expected: failure{"poisoned", "", "poisoned", ""}, ran: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.ctx == nil {
				test.ctx = t.Context()
			}
			_, err := loaded.HandleEvent(test.ctx, test.handler, []byte(test.event), test.opts...)
			span := spans.one(t)
			assert.Equal(t, test.expected, failureOf(t, span, err))
			assert.Equal(t, test.handler, span.attributes["hyperlight.handler.name"])
			if test.ran {
				assert.Contains(t, span.attributes, "hyperlight.call.wall_time")
			} else {
				assert.NotContains(t, span.attributes, "hyperlight.call.wall_time", "that of an earlier call")
			}
		})
	}
	restore(t, loaded, snapshot)
	assert.Equal(t, "ready", spans.one(t).attributes["hyperlight.sandbox.status"])

	var none context.Context
	_, err := loaded.HandleEvent(none, "handler", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	require.ErrorIs(t, loaded.Restore(none, snapshot), hyperlight.ErrInvalidArgument)
	assert.Empty(t, spans.all(t), "there is nothing to be below")
}

func TestSpansOfAPool(t *testing.T) {
	spans := &recorder{}
	users := spans.Tracer("users")
	ctx, making := users.Start(t.Context(), "making")
	pool, err := hyperlight.NewPool(ctx, small(counter, hyperlight.WithTracerProvider(spans)), hyperlight.PoolSize(1))
	require.NoError(t, err)
	making.End()
	assert.Equal(t, []string{
		"making",
		"  hyperlight.build", "  hyperlight.load_runtime", "  hyperlight.load", "  hyperlight.snapshot", "  hyperlight.restore",
	}, spanTree(spans.all(t)))

	lease, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	_, err = lease.HandleEvent(t.Context(), "handler", []byte(`{}`))
	require.NoError(t, err)
	spans.all(t)
	waited := make(chan error)
	go func() {
		ctx, waiting := users.Start(t.Context(), "waiting")
		_, err := pool.HandleEvent(ctx, "handler", []byte(`{}`))
		waiting.End()
		waited <- err
	}()
	require.Eventually(t, func() bool { return pool.Stats().Waiting == 1 }, time.Minute, time.Millisecond)
	lease.Release()
	require.NoError(t, <-waited)
	require.Eventually(t, func() bool { return pool.Stats().Restores == 2 }, time.Minute, time.Millisecond)
	require.NoError(t, pool.Close(t.Context()))
	assert.Equal(t, []string{
		"waiting", "  hyperlight.restore", "  hyperlight.handle_event",
		"hyperlight.restore",
	}, spanTree(spans.all(t)), "the last one in the background")
}

// A batch is one span, whatever becomes of its events, and what they call is below it.
func TestSpanOfABatch(t *testing.T) {
	spans := &recorder{}
	proto := newProto(t, hyperlight.WithTracerProvider(spans))
	require.NoError(t, proto.Register("host", "note", func(int) {}))
	loaded := loadProto(t, proto, `import { note } from "host";
		function handler(event) { note(event); if (event === 2) throw new Error("two"); return event; }`)
	spans.all(t)
	results, err := loaded.HandleEvents(t.Context(), "handler", eventsOf("1", "2", "3"), hyperlight.WithGC(false))
	require.NoError(t, err)
	require.Len(t, results, 3)
	all := spans.all(t)
	assert.Equal(t, []string{
		"hyperlight.handle_events",
		"  hyperlight.host_function",
		"  hyperlight.host_function",
		"  hyperlight.host_function",
	}, spanTree(all))
	for i, function := range all[1:] {
		assert.EqualValues(t, i, function.attributes["hyperlight.batch.index"])
	}
	batch := all[0]
	assert.Equal(t, codes.Unset, batch.status, "each event's failure is its own")
	assert.EqualValues(t, 3, batch.attributes["hyperlight.batch.events"])
	assert.EqualValues(t, 3, batch.attributes["hyperlight.batch.taken"])
	assert.EqualValues(t, 1, batch.attributes["hyperlight.batch.failed"])
	assert.Equal(t, "handler", batch.attributes["hyperlight.handler.name"])
	assert.Equal(t, false, batch.attributes["hyperlight.gc"])
	assert.Contains(t, batch.attributes, "hyperlight.call.wall_time")

	_, err = loaded.HandleEvents(t.Context(), "handler", eventsOf("1", "2", "3"), hyperlight.StopOnError())
	require.Error(t, err)
	batch = spans.all(t)[0]
	assert.Equal(t, failure{"javascript_exception", "", "ready", "Error"}, failureOf(t, batch, err))
	assert.EqualValues(t, 2, batch.attributes["hyperlight.batch.taken"])

	_, err = loaded.HandleEvents(t.Context(), "handler", eventsOf("{"), hyperlight.StopOnError())
	batch = spans.one(t)
	assert.Equal(t, failure{"invalid_json", "", "ready", ""}, failureOf(t, batch, err))
	assert.NotContains(t, batch.attributes, "hyperlight.call.wall_time", "no event counts")
}

// A context that ends, and Close, stop a call without a span of their own.
func TestSpansOfStoppedCalls(t *testing.T) {
	spans := &recorder{}
	loaded := loadHandler(t, `function handler() { console.log("here"); while (true) {} }`, hyperlight.WithTracerProvider(spans))
	snapshot := takeSnapshot(t, loaded)
	spans.all(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`), hyperlight.WithPrintFunc(func(string) { cancel() }))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, failure{"cancelled", "context", "poisoned", ""}, failureOf(t, spans.one(t), err))

	restore(t, loaded, snapshot)
	spans.all(t)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithPrintFunc(func(string) {
		assert.NoError(t, loaded.Close())
	}))
	require.ErrorIs(t, err, hyperlight.ErrClosed)
	assert.Equal(t, failure{"closed", "", "closed", ""}, failureOf(t, spans.one(t), err))
}

func TestSpanOfAnException(t *testing.T) {
	spans := &recorder{}
	loaded := loadHandler(t, `function handler(event) {
		if (event.symbol) throw Symbol("no");
		if (event.long) throw new Error("€".repeat(4000));
		throw new TypeError("no");
	}`, hyperlight.WithTracerProvider(spans))
	spans.all(t)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"secret":"swordfish"}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	exception := asError(t, err).Exception
	span := spans.one(t)
	assert.Equal(t, []recordedEvent{{"exception", map[string]any{
		"exception.type":       "Error",
		"exception.message":    exception.Message,
		"exception.stacktrace": exception.Stack,
	}}}, span.events)
	assert.Contains(t, exception.Stack, "handler")
	assert.NotContains(t, fmt.Sprint(span.attributes, span.text, span.events), "swordfish")

	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{"symbol":true}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.Equal(t, []recordedEvent{{"exception", map[string]any{
		"exception.type": "symbol", "exception.message": "thrown symbol",
	}}}, spans.one(t).events)

	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{"long":true}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	span = spans.one(t)
	short := strings.Repeat("€", 8192/3) + " [cut]"
	assert.Equal(t, short, span.events[0].attributes["exception.message"])
	assert.Len(t, span.text, 8192+len(" [cut]"))

	_, err = loaded.HandleEvent(t.Context(), "caf\xe9", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.Equal(t, "caf\uFFFD", spans.one(t).attributes["hyperlight.handler.name"], "exporters want UTF-8")
}

func TestSpansOfFailedSteps(t *testing.T) {
	spans := &recorder{}
	_, err := hyperlight.New(hyperlight.WithTracerProvider(spans), hyperlight.WithHeapSize(1))
	span := spans.one(t)
	assert.Equal(t, "hyperlight.build", span.name)
	assert.Equal(t, failure{kind: "memory_size_out_of_range"}, failureOf(t, span, err))

	proto := newProto(t, hyperlight.WithTracerProvider(spans))
	sandbox := boot(t, proto)
	spans.all(t)
	_, err = proto.LoadRuntime(t.Context())
	assert.Equal(t, failure{kind: "consumed"}, failureOf(t, spans.one(t), err))
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`throw new Error("no"); function handler() {}`)))
	_, err = sandbox.Load(t.Context())
	assert.Equal(t, failure{kind: "javascript_exception", event: "Error"}, failureOf(t, spans.one(t), err))

	loaded := loadHandler(t, counter, hyperlight.WithTracerProvider(spans))
	spans.all(t)
	err = loaded.Restore(t.Context(), nil)
	assert.Equal(t, failure{kind: "invalid_argument"}, failureOf(t, spans.one(t), err))
	require.NoError(t, loaded.Close())
	_, err = loaded.Snapshot(t.Context())
	assert.Equal(t, failure{kind: "closed"}, failureOf(t, spans.one(t), err))
	_, err = loaded.Unload(t.Context())
	assert.Equal(t, failure{kind: "closed"}, failureOf(t, spans.one(t), err))
}

// failed is an error of a host function that has a type.
type failed struct{}

func (failed) Error() string { return "that failed" }

func TestSpansOfHostFunctions(t *testing.T) {
	spans := &recorder{}
	inner := loadHandler(t, `function handler() { throw new Error("inner"); }`, hyperlight.WithTracerProvider(spans))
	proto := newProto(t, hyperlight.WithTracerProvider(spans))
	for name, function := range map[string]any{
		"error":  func() error { return failed{} },
		"panic":  func() { panic("help") },
		"goexit": runtime.Goexit,
		"call": func(ctx context.Context) error {
			_, err := inner.HandleEvent(ctx, "handler", []byte(`{}`))
			return err
		},
		"wrap": func(ctx context.Context) error {
			_, err := inner.HandleEvent(ctx, "handler", []byte(`{}`))
			return fmt.Errorf("wrapped: %w", err)
		},
	} {
		require.NoError(t, proto.Register("host", name, function))
	}
	loaded := loadProto(t, proto, `import * as host from "host"; function handler(name) { host[name](); }`)
	spans.all(t)
	host := func(t *testing.T, name, kind string) (call, function *recordedSpan) {
		t.Helper()
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"`+name+`"`))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		found := spans.all(t)
		call, function = found[0], found[1]
		failureOf(t, call, err)
		assert.Equal(t, call.context, function.parent)
		assert.Equal(t, "hyperlight.host_function", function.name)
		assert.Equal(t, map[string]any{
			"hyperlight.host_function.module": "host", "hyperlight.host_function.name": name, "error.type": kind,
		}, function.attributes)
		assert.Equal(t, codes.Error, function.status)
		if len(found) == 3 {
			assert.Equal(t, "hyperlight.handle_event", found[2].name)
			assert.Equal(t, function.context, found[2].parent, "the call of the other sandbox is below the function")
		}
		return call, function
	}

	call, function := host(t, "error", "hyperlight_test.failed")
	assert.Equal(t, "that failed", function.text)
	assert.Empty(t, function.events)
	assert.Equal(t, "javascript_exception", call.attributes["error.type"])

	call, function = host(t, "panic", "host_function_panicked")
	assert.Equal(t, "panicked: help", function.text)
	assert.Equal(t, "host_function_panicked", call.attributes["error.type"])
	require.Len(t, function.events, 1)
	assert.Equal(t, "*hyperlight.HostPanic", function.events[0].attributes["exception.type"])
	assert.Equal(t, "panicked: help", function.events[0].attributes["exception.message"])
	assert.Contains(t, function.events[0].attributes["exception.stacktrace"], "spans_test.go")

	_, function = host(t, "goexit", "host_function_panicked")
	assert.Equal(t, "panicked: runtime.Goexit was called", function.text)

	_, function = host(t, "call", "javascript_exception")
	assert.Empty(t, function.events)
	host(t, "wrap", "javascript_exception")
}

func TestSpanOfAKill(t *testing.T) {
	spans := &recorder{}
	loaded := loadHandler(t, `function handler() { console.log("here"); while (true) {} }`, hyperlight.WithTracerProvider(spans))
	interrupt := interruptHandle(t, loaded)
	spans.all(t)
	assert.False(t, interrupt.Kill())
	assert.Empty(t, spans.all(t), "nothing runs")

	killed := make(chan bool)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithPrintFunc(func(string) {
		go func() { killed <- interrupt.Kill() }()
	}))
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	sent := <-killed
	found := spans.all(t)
	assert.Equal(t, []string{"hyperlight.handle_event", "  hyperlight.kill"}, spanTree(found))
	assert.Equal(t, failure{"cancelled", "interrupt", "poisoned", ""}, failureOf(t, found[0], err))
	assert.Equal(t, map[string]any{"hyperlight.kill.signal_sent": sent}, found[1].attributes)
	assert.Equal(t, codes.Unset, found[1].status)
}

// The parent may be of another process, and need not be recorded.
func TestSpansBelowOthers(t *testing.T) {
	spans := &recorder{}
	loaded := loadHandler(t, counter, hyperlight.WithTracerProvider(spans))
	spans.all(t)
	remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, Remote: true})
	_, err := loaded.HandleEvent(trace.ContextWithRemoteSpanContext(t.Context(), remote), "handler", []byte(`{}`))
	require.NoError(t, err)
	span := spans.one(t)
	assert.Equal(t, remote, span.parent)
	assert.Equal(t, remote.TraceID(), span.context.TraceID())
}

// What a sampler drops still has an id, which is passed on, but no attributes.
func TestSpansThatDoNotRecord(t *testing.T) {
	spans := &recorder{drop: func(name string) bool { return strings.HasPrefix(name, "hyperlight.") }}
	users := spans.Tracer("users")
	proto := newProto(t, hyperlight.WithTracerProvider(spans))
	require.NoError(t, proto.Register("host", "fail", func(ctx context.Context) error {
		_, span := users.Start(ctx, "work")
		span.End()
		return errors.New("no")
	}))
	loaded := loadProto(t, proto, `import * as host from "host"; function handler() { host.fail(); }`)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	found := spans.all(t)
	assert.Equal(t, []string{
		"hyperlight.build", "hyperlight.load_runtime", "hyperlight.load",
		"hyperlight.handle_event", "  hyperlight.host_function", "    work",
	}, spanTree(found))
	for _, span := range found {
		var forSampler map[string]any
		switch span.name {
		case "hyperlight.handle_event":
			forSampler = map[string]any{"hyperlight.handler.name": "handler"}
		case "hyperlight.host_function":
			forSampler = map[string]any{"hyperlight.host_function.module": "host", "hyperlight.host_function.name": "fail"}
		default:
			forSampler = map[string]any{}
		}
		assert.Equal(t, forSampler, span.attributes, span.name)
		assert.Empty(t, span.events, span.name)
		assert.Equal(t, codes.Unset, span.status)
	}
}

// A sandbox without a provider makes no spans, also below one, and hands on that of its ctx.
func TestNoSpansWithoutProvider(t *testing.T) {
	spans := &recorder{}
	users := spans.Tracer("users")
	proto := newProto(t)
	require.NoError(t, proto.Register("host", "work", func(ctx context.Context) {
		_, span := users.Start(ctx, "work")
		span.End()
	}))
	loaded := loadProto(t, proto, `import * as host from "host"; function handler() { host.work(); return 1; }`)
	ctx, root := users.Start(t.Context(), "root")
	_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
	require.NoError(t, err)
	root.End()
	assert.Equal(t, []string{"root", "  work"}, spanTree(spans.all(t)))
}

func TestTracerProviderIsNotNil(t *testing.T) {
	_, err := hyperlight.New(hyperlight.WithTracerProvider(nil))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.EqualError(t, err, "hyperlight: New: the tracer provider is nil")
}

// panics is a provider whose host functions' spans panic, at the start or at the end.
type panics struct {
	*recorder
	atStart bool
}

func (p panics) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return panickingTracer{p.recorder.Tracer(name, opts...), p.atStart}
}

type panickingTracer struct {
	trace.Tracer
	atStart bool
}

func (t panickingTracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	ctx, span := t.Tracer.Start(ctx, name, opts...)
	switch {
	case name != "hyperlight.host_function":
		return ctx, span
	case t.atStart:
		panic("start")
	}
	return ctx, panickingSpan{span}
}

type panickingSpan struct{ trace.Span }

func (panickingSpan) End(...trace.SpanEndOption) { panic("end") }

// Native frames are below a host function's span, as they are below the function.
func TestSpansThatPanic(t *testing.T) {
	for _, atStart := range []bool{true, false} {
		proto := newProto(t, hyperlight.WithTracerProvider(panics{&recorder{}, atStart}))
		require.NoError(t, proto.Register("host", "work", func() int { return 42 }))
		loaded := loadProto(t, proto, `import * as host from "host"; function handler() { return host.work(); }`)
		assert.Equal(t, "42", call(t, loaded, `{}`))
	}
}
