package hyperlight

import (
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
