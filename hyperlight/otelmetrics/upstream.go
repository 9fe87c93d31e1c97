package otelmetrics

import (
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// about is what upstream does not say of its metrics, under upstream's names. Histograms have their own units. A
// metric that is not here is exported all the same.
var about = map[string]struct{ unit, description string }{
	"active_proto_js_sandboxes":         {"{sandbox}", "Sandboxes that have no JavaScript runtime yet."},
	"active_js_sandboxes":               {"{sandbox}", "Sandboxes that have a JavaScript runtime, and no handlers loaded."},
	"active_loaded_js_sandboxes":        {"{sandbox}", "Sandboxes that have handlers loaded."},
	"proto_js_sandboxes_total":          {"{sandbox}", "Sandboxes made."},
	"js_sandboxes_total":                {"{sandbox}", "Sandboxes that got a JavaScript runtime, or were unloaded."},
	"loaded_js_sandboxes_total":         {"{sandbox}", "Sandboxes that got handlers."},
	"sandbox_loads_total":               {"{load}", "Loads of handlers."},
	"sandbox_unloads_total":             {"{unload}", "Unloads of handlers."},
	"event_handler_calls_total":         {"", "Duration of handlers' calls without garbage collection."},
	"event_handler_calls_with_gc_total": {"", "Duration of handlers' calls with garbage collection."},
	"monitor_terminations_total":        {"{call}", "Calls that a monitor ended."},
	"guest_errors_total":                {"{error}", "Errors that guests returned."},
	"guest_cancellations_total":         {"{call}", "Calls that were cancelled, by whatever."},
	"erroneous_vcpu_kicks_total":        {"{kick}", "Signals that interrupted a guest for nothing."},
	"guest_call_duration_seconds":       {"", "Duration of calls into guests."},
	"host_call_duration_seconds":        {"", "Time that guests waited for the host."},
	"dropped_metric_updates_total":      {"{update}", "Updates of metrics that were not kept, to bound memory."},
}

// convert makes one metric of all series with the same name and kind, which upstream's order has side by side.
func convert(series []hyperlight.Metric, now time.Time) []metricdata.Metrics {
	var metrics []metricdata.Metrics
	for len(series) > 0 {
		count := 1
		for count < len(series) && series[count].Name == series[0].Name && series[count].Kind == series[0].Kind {
			count++
		}
		metrics = append(metrics, convertOne(series[:count], now))
		series = series[count:]
	}
	return metrics
}

func convertOne(series []hyperlight.Metric, now time.Time) metricdata.Metrics {
	first := series[0]
	metric := metricdata.Metrics{
		Name:        name(first.Name),
		Description: about[first.Name].description,
		Unit:        about[first.Name].unit,
	}
	switch first.Kind {
	case hyperlight.MetricHistogram:
		metric.Data = histogram(series, now)
		metric.Unit = units[first.Unit]
	case hyperlight.MetricGauge:
		// All of upstream's count sandboxes, so it makes sense to add up those of several processes, which is
		// what tells an UpDownCounter from a Gauge.
		metric.Data = sum[float64](series, now, false)
	default:
		metric.Data = sum[int64](series, now, true)
	}
	return metric
}

// name is upstream's, in OpenTelemetry's style.
func name(upstream string) string {
	return "hyperlight." + strings.TrimSuffix(strings.TrimSuffix(upstream, "_total"), "_seconds")
}

// units are those of histograms, in UCUM.
var units = map[string]string{"seconds": "s", "microseconds": "us"}

func sum[N int64 | float64](series []hyperlight.Metric, now time.Time, monotonic bool) metricdata.Sum[N] {
	points := make([]metricdata.DataPoint[N], len(series))
	for i, one := range series {
		points[i] = metricdata.DataPoint[N]{
			Attributes: attributes(one.Labels),
			StartTime:  started,
			Time:       now,
			Value:      N(one.Value),
		}
	}
	return metricdata.Sum[N]{DataPoints: points, Temporality: metricdata.CumulativeTemporality, IsMonotonic: monotonic}
}

func histogram(series []hyperlight.Metric, now time.Time) metricdata.Histogram[float64] {
	points := make([]metricdata.HistogramDataPoint[float64], len(series))
	for i, one := range series {
		points[i] = metricdata.HistogramDataPoint[float64]{
			Attributes: attributes(one.Labels),
			StartTime:  started,
			Time:       now,
			Count:      one.Histogram.Count,
			Sum:        one.Histogram.Sum,
		}
		points[i].Bounds, points[i].BucketCounts = buckets(one.Histogram)
	}
	return metricdata.Histogram[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality}
}

// buckets takes apart what ours have added up: each of OpenTelemetry's counts only its own values, and there is
// one more, for values beyond all bounds.
func buckets(histogram *hyperlight.Histogram) (bounds []float64, counts []uint64) {
	var before uint64
	for _, bucket := range histogram.Buckets {
		bounds = append(bounds, bucket.UpperBound)
		counts = append(counts, bucket.Count-before)
		before = bucket.Count
	}
	return bounds, append(counts, histogram.Count-before)
}

func attributes(labels map[string]string) attribute.Set {
	all := make([]attribute.KeyValue, 0, len(labels))
	for label, value := range labels {
		all = append(all, attribute.String(label, value))
	}
	return attribute.NewSet(all...)
}
