package hyperlight

import (
	"encoding/json"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Metric is one of upstream's metrics with one set of labels. These exist, each from its first update
// on; names are upstream's, also where they mislead:
//
//   - active_proto_js_sandboxes, active_js_sandboxes, active_loaded_js_sandboxes: gauges; how many
//     sandboxes there are in each state now.
//   - proto_js_sandboxes_total, js_sandboxes_total, loaded_js_sandboxes_total: counters; how many came
//     into each state, by boot, load or unload.
//   - sandbox_loads_total, sandbox_unloads_total: counters; how often handlers were loaded and unloaded.
//   - event_handler_calls_total, event_handler_calls_with_gc_total: no counters but histograms; the time
//     that calls took, in microseconds, without and with garbage collection ([WithGC]). Label
//     event_handler_name, which is any name that was called, also of no handler.
//   - monitor_terminations_total: counter; calls that a monitor ended. Label monitor_type: the
//     monitor's name.
//   - guest_errors_total: counter; errors that guests returned, JavaScript exceptions among them. Label
//     code: upstream's ErrorCode, a number; see [Error].GuestCode.
//   - guest_cancellations_total: counter; calls that were cancelled, by whatever.
//   - erroneous_vcpu_kicks_total: counter; signals that interrupted a guest for nothing. Go's own
//     signals are among them: the guest goes on, and all is well.
//   - guest_call_duration_seconds: histogram, in seconds; the time that calls into the guest took. Label
//     function_name: upstream's name for what was called, RunHandler for any handler.
//   - host_call_duration_seconds: histogram, in seconds; the time that guests waited for the host. Label
//     function_name: upstream's name for what was called, HostPrint for any output.
//   - dropped_metric_updates_total: counter; not upstream's. At most 10,000 metrics are kept, with at
//     most 1,024 bytes of name and labels each, to bound memory; it counts the updates of others.
type Metric struct {
	// Name is upstream's name.
	Name string
	// Kind says which of the fields below counts.
	Kind MetricKind
	// Unit is "seconds" or "microseconds" for a histogram, and empty for others, which count things.
	Unit string
	// Labels tell metrics of one name apart. It is not nil.
	Labels map[string]string
	// Value is that of a counter or gauge.
	Value float64
	// Histogram is nil for counters and gauges.
	Histogram *Histogram
}

// MetricKind is the kind of a [Metric]. Upstream: the counters, gauges and histograms of the crate metrics.
type MetricKind string

// The kinds of metrics, under upstream's names.
const (
	// MetricCounter is a number that only grows.
	MetricCounter MetricKind = "counter"
	// MetricGauge is a number that goes up and down.
	MetricGauge MetricKind = "gauge"
	// MetricHistogram is a distribution of values.
	MetricHistogram MetricKind = "histogram"
)

// Histogram is a distribution of values; all of upstream's are times. Its numbers belong to one moment.
type Histogram struct {
	// Count is the number of values, and Sum their sum.
	Count uint64
	Sum   float64
	// Buckets say how many values are small, by ascending bounds: 1, 2, 5, 10, 20, ... microseconds up to
	// 10 seconds. Values beyond that are in Count only.
	Buckets []Bucket
}

// Bucket is the number of values up to a bound, those of the buckets before it included. Bounds are not
// upstream's, which leaves them to the recorder.
type Bucket struct {
	// UpperBound is the largest value that counts here, in the metric's unit.
	UpperBound float64
	// Count is how many values are not larger.
	Count uint64
}

// EnableMetrics starts to record upstream's metrics, for this process and as long as it lives. Call it
// before the first [New]: afterwards it returns [ErrTelemetryTooLate], since gauges would go below zero.
// Once it has succeeded, more calls do nothing. It loads the native library as New does. Upstream:
// a recorder for the Rust crate metrics, which a Rust program chooses and installs itself.
//
// Recording costs 1,000 instructions a call, less than 2 % of one whose handler does nothing.
//
// # Errors
//
// [ErrTelemetryTooLate], and the errors of [Library].
func EnableMetrics() error {
	const op = "EnableMetrics"
	if _, err := loadLibrary(op); err != nil {
		return err
	}
	return nativeError(op, capi.MetricsInstall())
}

// Metrics reads all metrics, sorted by name, kind and labels. It may be called at any time, from any
// goroutine, and does not disturb guests that run. Upstream: reading the recorder that the program has
// installed.
//
// # Errors
//
// [ErrMetricsDisabled] unless [EnableMetrics] was called, and the errors of [Library].
func Metrics() ([]Metric, error) {
	const op = "Metrics"
	if _, err := loadLibrary(op); err != nil {
		return nil, err
	}
	text, nativeErr := capi.MetricsSnapshot()
	if nativeErr != nil {
		return nil, nativeError(op, nativeErr)
	}
	metrics, err := parseMetrics(text)
	if err != nil {
		return nil, &Error{Op: op, Code: CodeInternal, Message: err.Error(), cause: err}
	}
	return metrics, nil
}

// parseMetrics reads what hljs_metrics_snapshot documents.
func parseMetrics(text []byte) ([]Metric, error) {
	var series []struct {
		Name    string            `json:"name"`
		Kind    MetricKind        `json:"kind"`
		Labels  map[string]string `json:"labels"`
		Value   float64           `json:"value"`
		Unit    string            `json:"unit"`
		Count   uint64            `json:"count"`
		Sum     float64           `json:"sum"`
		Buckets []struct {
			UpperBound float64 `json:"upper_bound"`
			Count      uint64  `json:"count"`
		} `json:"buckets"`
	}
	if err := json.Unmarshal(text, &series); err != nil {
		return nil, err
	}
	metrics := make([]Metric, len(series))
	for i, s := range series {
		metrics[i] = Metric{Name: s.Name, Kind: s.Kind, Unit: s.Unit, Labels: s.Labels, Value: s.Value}
		if s.Kind == MetricHistogram {
			histogram := &Histogram{Count: s.Count, Sum: s.Sum}
			for _, bucket := range s.Buckets {
				histogram.Buckets = append(histogram.Buckets, Bucket(bucket))
			}
			metrics[i].Histogram = histogram
		}
	}
	return metrics, nil
}
