package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortraces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// What the two requests should leave, each span with its parents, in the order in which they end.
var wanted = []string{
	"hyperlight.build",
	"hyperlight.load_runtime",
	"hyperlight.load",
	"look up tea < hyperlight.host_function < hyperlight.handle_event < request",
	"hyperlight.host_function < hyperlight.handle_event < request",
	"look up cup < hyperlight.host_function < hyperlight.handle_event < request",
	"hyperlight.host_function < hyperlight.handle_event < request",
	"hyperlight.handle_event < request",
	"request",
	"hyperlight.handle_event < request",
	"request",
}

// span is what both exporters tell of a span.
type span struct{ id, parent, name string }

// lineages names each span with its parents.
func lineages(spans []span) []string {
	byID := map[string]span{}
	for _, span := range spans {
		byID[span.id] = span
	}
	var lineages []string
	for _, span := range spans {
		lineage := span.name
		for parent, ok := byID[span.parent]; ok; parent, ok = byID[parent.parent] {
			lineage += " < " + parent.name
		}
		lineages = append(lineages, lineage)
	}
	return lineages
}

func TestStandardOutput(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), &stdout))

	var spans []span
	metrics := map[string]bool{}
	for lines := json.NewDecoder(&stdout); lines.More(); {
		var line struct {
			Name                string
			SpanContext, Parent struct{ SpanID string }
			ScopeMetrics        []struct{ Metrics []struct{ Name string } }
		}
		require.NoError(t, lines.Decode(&line))
		if line.Name != "" {
			spans = append(spans, span{line.SpanContext.SpanID, line.Parent.SpanID, line.Name})
		}
		for _, scope := range line.ScopeMetrics {
			for _, metric := range scope.Metrics {
				metrics[metric.Name] = true
			}
		}
	}
	assert.Equal(t, wanted, lineages(spans))
	assert.Contains(t, metrics, "hyperlight.event_handler_calls_with_gc")
	assert.Contains(t, metrics, "hyperlight.guest_errors")
}

func TestCollector(t *testing.T) {
	var mu sync.Mutex
	bodies := map[string][][]byte{} // by path
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		bodies[r.URL.Path] = append(bodies[r.URL.Path], body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_SERVICE_NAME", "test-shop")
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), &stdout))
	assert.Empty(t, stdout.String())

	var spans []span
	for _, body := range bodies["/v1/traces"] {
		var traces collectortraces.ExportTraceServiceRequest
		require.NoError(t, proto.Unmarshal(body, &traces))
		for _, resource := range traces.ResourceSpans {
			assert.Contains(t, resource.Resource.String(), "test-shop")
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					spans = append(spans, span{string(s.SpanId), string(s.ParentSpanId), s.Name})
				}
			}
		}
	}
	assert.ElementsMatch(t, wanted, lineages(spans)) // The collector gets them by scope.

	var names []string
	for _, body := range bodies["/v1/metrics"] {
		var metrics collectormetrics.ExportMetricsServiceRequest
		require.NoError(t, proto.Unmarshal(body, &metrics))
		for _, resource := range metrics.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, metric := range scope.Metrics {
					names = append(names, metric.Name)
				}
			}
		}
	}
	assert.Contains(t, names, "hyperlight.event_handler_calls_with_gc")
}
