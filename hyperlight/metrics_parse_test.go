package hyperlight

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseMetrics(t *testing.T) {
	metrics, err := parseMetrics([]byte(`[
		{"name": "a", "kind": "gauge", "labels": {}, "value": -1.5},
		{"name": "b", "kind": "counter", "labels": {"x": "y"}, "value": 7},
		{"name": "c", "kind": "histogram", "labels": {}, "unit": "seconds", "count": 3, "sum": 0.5,
		 "buckets": [{"upper_bound": 0.1, "count": 1}, {"upper_bound": 1, "count": 3}]}
	]`))
	require.NoError(t, err)
	assert.Equal(t, []Metric{
		{Name: "a", Kind: MetricGauge, Labels: map[string]string{}, Value: -1.5},
		{Name: "b", Kind: MetricCounter, Labels: map[string]string{"x": "y"}, Value: 7},
		{Name: "c", Kind: MetricHistogram, Unit: "seconds", Labels: map[string]string{}, Histogram: &Histogram{
			Count: 3, Sum: 0.5, Buckets: []Bucket{{UpperBound: 0.1, Count: 1}, {UpperBound: 1, Count: 3}},
		}},
	}, metrics)
	_, err = parseMetrics([]byte("{"))
	require.Error(t, err)
}

// What is read is what encoding/json reads, and only histograms have one.
func FuzzParseMetrics(f *testing.F) {
	for _, text := range []string{
		``, `[]`, `null`, `{}`, `[null]`, `[{"name":"a","kind":"gauge","labels":{},"value":-1.5}]`,
		`[{"name":"b","kind":"counter","labels":{"x":"y","":"\u0000"},"value":1e308}]`, `[{"kind":7}]`, `[{"value":1e999}]`,
		`[{"name":"c","kind":"histogram","labels":{},"unit":"seconds","count":18446744073709551615,"sum":0.5,"buckets":[{"upper_bound":0.1,"count":1}]}]`,
		`[{"kind":"histogram","buckets":[{"upper_bound":1},{}]},{"kind":"gauge","count":1,"buckets":[{}]}]`, `[{"count":-1}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		metrics, err := parseMetrics(text)
		if err != nil {
			require.Nil(t, metrics)
			return
		}
		var plain []struct {
			Name, Unit string
			Kind       MetricKind
			Labels     map[string]string
			Value, Sum float64
			Count      uint64
			Buckets    []struct {
				UpperBound float64 `json:"upper_bound"`
				Count      uint64
			}
		}
		require.NoError(t, json.Unmarshal(text, &plain))
		require.Len(t, metrics, len(plain))
		for i, want := range plain {
			metric := metrics[i]
			require.Equal(t, Metric{Name: want.Name, Kind: want.Kind, Unit: want.Unit, Labels: want.Labels, Value: want.Value, Histogram: metric.Histogram}, metric)
			require.Equal(t, want.Kind == MetricHistogram, metric.Histogram != nil)
			if metric.Histogram == nil {
				continue
			}
			require.Equal(t, want.Count, metric.Histogram.Count)
			require.Equal(t, want.Sum, metric.Histogram.Sum)
			require.Len(t, metric.Histogram.Buckets, len(want.Buckets))
			for i, bucket := range want.Buckets {
				require.Equal(t, Bucket(bucket), metric.Histogram.Buckets[i])
			}
		}
	})
}
