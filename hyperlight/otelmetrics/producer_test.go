package otelmetrics_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/hyperlight-go/hyperlight-js/hyperlight/otelmetrics"
)

// Metrics are those of a process, so these have processes of their own: this test binary again, with the
// variable below naming the case.
const caseVariable = "OTELMETRICS_TEST_CASE"

var cases = map[string]func(t *testing.T){
	"disabled": disabled,
	"a life":   life,
}

func TestProducer(t *testing.T) {
	if name := os.Getenv(caseVariable); name != "" {
		cases[name](t)
		return
	}
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestProducer$", "-test.v")
			child.Env = append(os.Environ(), caseVariable+"="+name)
			output, err := child.CombinedOutput()
			require.NoError(t, err, string(output))
			require.Contains(t, string(output), "--- PASS: TestProducer")
		})
	}
}

// newReader is a reader of the producer, as a program would have it.
func newReader(t *testing.T, opts ...otelmetrics.Option) *metric.ManualReader {
	t.Helper()
	producer, err := otelmetrics.NewProducer(opts...)
	require.NoError(t, err)
	reader := metric.NewManualReader(metric.WithProducer(producer))
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	t.Cleanup(func() { assert.NoError(t, provider.Shutdown(t.Context())) })
	return reader
}

func disabled(t *testing.T) {
	var found metricdata.ResourceMetrics
	require.ErrorIs(t, newReader(t).Collect(t.Context(), &found), hyperlight.ErrMetricsDisabled)
	assert.Empty(t, found.ScopeMetrics)

	// A pool's numbers are there all the same.
	reader := newReader(t, otelmetrics.WithPool("none", (*hyperlight.Pool)(nil)))
	require.ErrorIs(t, reader.Collect(t.Context(), &found), hyperlight.ErrMetricsDisabled)
	require.Len(t, found.ScopeMetrics, 1)
	assert.Equal(t, "hyperlight.pool.sandboxes", found.ScopeMetrics[0].Metrics[0].Name)
}

// collect gives all metrics by name.
func collect(t *testing.T, reader *metric.ManualReader) map[string]metricdata.Metrics {
	t.Helper()
	var found metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &found))
	require.Len(t, found.ScopeMetrics, 1)
	assert.Equal(t, "github.com/hyperlight-go/hyperlight-js/hyperlight/otelmetrics", found.ScopeMetrics[0].Scope.Name)
	all := map[string]metricdata.Metrics{}
	for _, metric := range found.ScopeMetrics[0].Metrics {
		require.NotContains(t, all, metric.Name)
		all[metric.Name] = metric
	}
	return all
}

// life checks all that upstream counts in the life of one sandbox.
func life(t *testing.T) {
	require.NoError(t, hyperlight.EnableMetrics())
	reader := newReader(t)
	var before metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &before))
	assert.Empty(t, before.ScopeMetrics, "nothing has happened")

	live(t)
	found := collect(t, reader)
	delete(found, "hyperlight.erroneous_vcpu_kicks") // A matter of luck.

	units := map[string]string{}
	for name, metric := range found {
		assert.NotEmpty(t, metric.Description, name)
		units[name] = metric.Unit
	}
	assert.Equal(t, map[string]string{
		"hyperlight.active_js_sandboxes":         "{sandbox}",
		"hyperlight.active_loaded_js_sandboxes":  "{sandbox}",
		"hyperlight.active_proto_js_sandboxes":   "{sandbox}",
		"hyperlight.event_handler_calls":         "us",
		"hyperlight.event_handler_calls_with_gc": "us",
		"hyperlight.guest_call_duration":         "s",
		"hyperlight.guest_cancellations":         "{call}",
		"hyperlight.guest_errors":                "{error}",
		"hyperlight.host_call_duration":          "s",
		"hyperlight.js_sandboxes":                "{sandbox}",
		"hyperlight.loaded_js_sandboxes":         "{sandbox}",
		"hyperlight.monitor_terminations":        "{call}",
		"hyperlight.proto_js_sandboxes":          "{sandbox}",
		"hyperlight.sandbox_loads":               "{load}",
		"hyperlight.sandbox_unloads":             "{unload}",
	}, units)

	for name, value := range map[string]float64{"active_js_sandboxes": 1, "active_loaded_js_sandboxes": 0, "active_proto_js_sandboxes": 0} {
		sum, ok := found["hyperlight."+name].Data.(metricdata.Sum[float64])
		require.True(t, ok, name)
		assert.False(t, sum.IsMonotonic)
		assert.Equal(t, map[string]float64{"": value}, values(t, sum), name)
	}
	for name, expected := range map[string]map[string]int64{
		"guest_cancellations":  {"": 1},
		"guest_errors":         {"code=15": 1},
		"js_sandboxes":         {"": 2},
		"loaded_js_sandboxes":  {"": 1},
		"monitor_terminations": {"monitor_type=wall-clock": 1},
		"proto_js_sandboxes":   {"": 1},
		"sandbox_loads":        {"": 1},
		"sandbox_unloads":      {"": 1},
	} {
		sum, ok := found["hyperlight."+name].Data.(metricdata.Sum[int64])
		require.True(t, ok, name)
		assert.True(t, sum.IsMonotonic)
		assert.Equal(t, expected, values(t, sum), name)
	}
	assert.Equal(t, map[string]uint64{"event_handler_name=handler": 2},
		counts(t, found["hyperlight.event_handler_calls"]))
	assert.Equal(t, map[string]uint64{"event_handler_name=handler": 2},
		counts(t, found["hyperlight.event_handler_calls_with_gc"]))
	calls := counts(t, found["hyperlight.guest_call_duration"])
	assert.EqualValues(t, 4, calls["function_name=RunHandler"])
	assert.Contains(t, counts(t, found["hyperlight.host_call_duration"]), "function_name=HostPrint")

	again := collect(t, reader)["hyperlight.sandbox_loads"].Data.(metricdata.Sum[int64])
	once := found["hyperlight.sandbox_loads"].Data.(metricdata.Sum[int64])
	assert.Equal(t, once.DataPoints[0].StartTime, again.DataPoints[0].StartTime, "rates are computed from it")
	assert.True(t, again.DataPoints[0].Time.After(once.DataPoints[0].Time))
}

// live is two calls with garbage collection, of which one fails, two without, of which one is stopped, and an
// unload.
func live(t *testing.T) {
	proto, err := hyperlight.New()
	require.NoError(t, err)
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`
		function handler(event) {
			if (event.fail) throw new Error("no");
			while (event.loop) {}
			console.log("here");
			return event;
		}`)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	require.NoError(t, err)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{"fail":true}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithGC(false))
	require.NoError(t, err)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{"loop":true}`), hyperlight.WithGC(false),
		hyperlight.WithMonitors(hyperlight.WallClock(100*time.Millisecond)))
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	unloaded, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, unloaded.Close()) })
}

// values are those of a sum, by attributes, like "code=15".
func values[N int64 | float64](t *testing.T, sum metricdata.Sum[N]) map[string]N {
	t.Helper()
	assert.Equal(t, metricdata.CumulativeTemporality, sum.Temporality)
	all := map[string]N{}
	for _, point := range sum.DataPoints {
		assert.True(t, point.StartTime.Before(point.Time))
		all[point.Attributes.Encoded(attribute.DefaultEncoder())] = point.Value
	}
	return all
}

// counts are how many values a histogram has, by attributes.
func counts(t *testing.T, metric metricdata.Metrics) map[string]uint64 {
	t.Helper()
	histogram, ok := metric.Data.(metricdata.Histogram[float64])
	require.True(t, ok, metric.Name)
	assert.Equal(t, metricdata.CumulativeTemporality, histogram.Temporality)
	all := map[string]uint64{}
	for _, point := range histogram.DataPoints {
		assert.True(t, point.StartTime.Before(point.Time))
		assert.Len(t, point.Bounds, 22)
		require.Len(t, point.BucketCounts, len(point.Bounds)+1)
		var sum uint64
		for _, count := range point.BucketCounts {
			sum += count
		}
		assert.Equal(t, point.Count, sum, "every value is in one bucket")
		assert.Positive(t, point.Sum)
		all[point.Attributes.Encoded(attribute.DefaultEncoder())] = point.Count
	}
	return all
}
