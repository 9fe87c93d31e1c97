// Package spans tests the spans of package hyperlight with OpenTelemetry's SDK, on which the main module must not
// depend.
package spans

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// newProvider is the SDK's, with what it has exported.
func newProvider(t *testing.T, opts ...sdk.TracerProviderOption) (*sdk.TracerProvider, *tracetest.InMemoryExporter) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(append(opts, sdk.WithSyncer(exporter))...)
	t.Cleanup(func() { assert.NoError(t, provider.Shutdown(context.Background())) })
	return provider, exporter
}

// newSandbox has a handler with a host function.
func newSandbox(t *testing.T, provider trace.TracerProvider, source string, function any) *hyperlight.LoadedJSSandbox {
	t.Helper()
	proto, err := hyperlight.New(hyperlight.WithTracerProvider(provider))
	require.NoError(t, err)
	require.NoError(t, proto.Register("host", "work", function))
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`import * as host from "host"; `+source)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, loaded.Close()) })
	return loaded
}

// lineage are the names of a span and of those above it.
func lineage(spans tracetest.SpanStubs, span tracetest.SpanStub) []string {
	names := []string{span.Name}
	for _, parent := range spans {
		if parent.SpanContext.SpanID() == span.Parent.SpanID() {
			return append(names, lineage(spans, parent)...)
		}
	}
	return names
}

func TestThreeSandboxesInOneTrace(t *testing.T) {
	provider, exporter := newProvider(t)
	call := func(next *hyperlight.LoadedJSSandbox) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := next.HandleEvent(ctx, "handler", []byte(`{}`))
			return err
		}
	}
	third := newSandbox(t, provider, `function handler() { throw new Error("at the end"); }`, func() {})
	second := newSandbox(t, provider, `function handler() { host.work(); }`, call(third))
	first := newSandbox(t, provider, `function handler() { host.work(); }`, call(second))
	exporter.Reset()
	ctx, root := provider.Tracer("test").Start(t.Context(), "root")
	require.ErrorIs(t, call(first)(ctx), hyperlight.ErrJSException)
	root.End()

	spans := exporter.GetSpans()
	require.Len(t, spans, 6)
	assert.Equal(t, []string{
		"hyperlight.handle_event",
		"hyperlight.host_function", "hyperlight.handle_event",
		"hyperlight.host_function", "hyperlight.handle_event",
		"root",
	}, lineage(spans, spans[0]), "the innermost ends first")
	for _, span := range spans[:5] {
		assert.Equal(t, trace.SpanKindInternal, span.SpanKind)
		assert.Equal(t, codes.Error, span.Status.Code)
		assert.Contains(t, span.Status.Description, "at the end")
		assert.Contains(t, span.Attributes, attribute.String("error.type", "javascript_exception"))
		assert.Equal(t, "github.com/hyperlight-go/hyperlight-js/hyperlight", span.InstrumentationScope.Name)
		if span.Name == "hyperlight.handle_event" {
			require.Len(t, span.Events, 1)
			assert.Equal(t, "exception", span.Events[0].Name)
		}
	}
}

// What a sampler drops is not exported, and its ids are handed on.
func TestSampler(t *testing.T) {
	for _, sampled := range []bool{true, false} {
		provider, exporter := newProvider(t, sdk.WithSampler(sdk.ParentBased(sdk.NeverSample())))
		var inside trace.SpanContext
		loaded := newSandbox(t, provider, `function handler() { host.work(); return 1; }`, func(ctx context.Context) {
			inside = trace.SpanContextFromContext(ctx)
		})
		remote := trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, Remote: true, TraceFlags: trace.TraceFlags(0).WithSampled(sampled),
		})
		_, err := loaded.HandleEvent(trace.ContextWithRemoteSpanContext(t.Context(), remote), "handler", []byte(`{}`))
		require.NoError(t, err)
		spans := exporter.GetSpans()
		assert.Equal(t, sampled, inside.IsSampled())
		assert.Equal(t, remote.TraceID(), inside.TraceID())
		if !sampled {
			assert.Empty(t, spans)
			continue
		}
		require.Len(t, spans, 2)
		assert.Equal(t, inside, spans[0].SpanContext)
		assert.Equal(t, remote, spans[1].Parent)
	}
}
