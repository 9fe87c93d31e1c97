package otelmetrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestConvert(t *testing.T) {
	now := started.Add(time.Minute)
	found := convert([]hyperlight.Metric{
		{Name: "active_js_sandboxes", Kind: hyperlight.MetricGauge, Labels: map[string]string{}, Value: 3},
		{Name: "event_handler_calls_total", Kind: hyperlight.MetricHistogram, Unit: "microseconds",
			Labels: map[string]string{"event_handler_name": "greet"},
			Histogram: &hyperlight.Histogram{Count: 10, Sum: 99.5, Buckets: []hyperlight.Bucket{
				{UpperBound: 1, Count: 0}, {UpperBound: 2, Count: 4}, {UpperBound: 5, Count: 9},
			}}},
		{Name: "guest_errors_total", Kind: hyperlight.MetricCounter, Labels: map[string]string{"code": "13"}, Value: 1},
		{Name: "guest_errors_total", Kind: hyperlight.MetricCounter, Labels: map[string]string{"code": "15"}, Value: 2},
		{Name: "new_of_upstream", Kind: hyperlight.MetricCounter, Labels: map[string]string{}, Value: 1 << 50},
		{Name: "new_seconds", Kind: hyperlight.MetricHistogram, Unit: "seconds", Labels: map[string]string{},
			Histogram: &hyperlight.Histogram{}},
	}, now)

	none := attribute.NewSet()
	code := func(value string) attribute.Set { return attribute.NewSet(attribute.String("code", value)) }
	expected := []metricdata.Metrics{
		{
			Name: "hyperlight.active_js_sandboxes", Unit: "{sandbox}",
			Description: "Sandboxes that have a JavaScript runtime, and no handlers loaded.",
			Data: metricdata.Sum[float64]{
				Temporality: metricdata.CumulativeTemporality,
				DataPoints:  []metricdata.DataPoint[float64]{{Attributes: none, StartTime: started, Time: now, Value: 3}},
			},
		},
		{
			Name: "hyperlight.event_handler_calls", Unit: "us",
			Description: "Duration of handlers' calls without garbage collection.",
			Data: metricdata.Histogram[float64]{
				Temporality: metricdata.CumulativeTemporality,
				DataPoints: []metricdata.HistogramDataPoint[float64]{{
					Attributes: attribute.NewSet(attribute.String("event_handler_name", "greet")),
					StartTime:  started, Time: now, Count: 10, Sum: 99.5,
					Bounds: []float64{1, 2, 5}, BucketCounts: []uint64{0, 4, 5, 1},
				}},
			},
		},
		{
			Name: "hyperlight.guest_errors", Unit: "{error}", Description: "Errors that guests returned.",
			Data: metricdata.Sum[int64]{
				Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
				DataPoints: []metricdata.DataPoint[int64]{
					{Attributes: code("13"), StartTime: started, Time: now, Value: 1},
					{Attributes: code("15"), StartTime: started, Time: now, Value: 2},
				},
			},
		},
		{
			Name: "hyperlight.new_of_upstream",
			Data: metricdata.Sum[int64]{
				Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
				DataPoints: []metricdata.DataPoint[int64]{{Attributes: none, StartTime: started, Time: now, Value: 1 << 50}},
			},
		},
		{
			Name: "hyperlight.new", Unit: "s",
			Data: metricdata.Histogram[float64]{
				Temporality: metricdata.CumulativeTemporality,
				DataPoints: []metricdata.HistogramDataPoint[float64]{{
					Attributes: none, StartTime: started, Time: now, BucketCounts: []uint64{0},
				}},
			},
		},
	}
	require.Len(t, found, len(expected))
	for i := range expected {
		metricdatatest.AssertEqual(t, expected[i], found[i])
	}
	assert.Empty(t, convert(nil, now))
}
