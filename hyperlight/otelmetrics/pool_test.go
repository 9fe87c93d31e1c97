package otelmetrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// fixedPool is a pool whose numbers are known.
type fixedPool hyperlight.PoolStats

func (p fixedPool) Stats() hyperlight.PoolStats { return hyperlight.PoolStats(p) }

var busy = fixedPool{
	Size: 10, Idle: 1, InUse: 2, Restoring: 3, Booting: 4, Waiting: 5,
	Acquired: 6, Waited: 7, WaitTime: 8 * time.Second, LongestWait: 1500 * time.Millisecond,
	Restores: 9, Poisoned: 10, Replaced: 11, FailedBoots: 12,
	TenantHits: 13, TenantMisses: 14, TenantEvictions: 15, Tenants: 16, TenantBytes: 17,
}

func TestPoolsMetrics(t *testing.T) {
	producer, err := NewProducer(WithPool("a", busy), WithPool("b", fixedPool{}))
	require.NoError(t, err)
	now := started.Add(time.Minute)
	metrics := ofPools(producer.pools, now)

	units, found := map[string]string{}, map[string]map[string]float64{}
	for _, metric := range metrics {
		require.NotContains(t, units, metric.Name)
		units[metric.Name] = metric.Unit
		assert.NotEmpty(t, metric.Description)
		values := map[string]float64{}
		switch data := metric.Data.(type) {
		case metricdata.Sum[int64]:
			assert.Equal(t, metricdata.CumulativeTemporality, data.Temporality)
			add(t, values, data.DataPoints, now)
		case metricdata.Sum[float64]:
			assert.Equal(t, metricdata.CumulativeTemporality, data.Temporality)
			add(t, values, data.DataPoints, now)
		case metricdata.Gauge[float64]:
			add(t, values, data.DataPoints, now)
		default:
			t.Fatalf("%s is a %T", metric.Name, data)
		}
		found[metric.Name] = values
	}
	assert.Equal(t, map[string]string{
		"hyperlight.pool.sandboxes":        "{sandbox}",
		"hyperlight.pool.waiting":          "{caller}",
		"hyperlight.pool.acquired":         "{sandbox}",
		"hyperlight.pool.waited":           "{caller}",
		"hyperlight.pool.wait_time":        "s",
		"hyperlight.pool.longest_wait":     "s",
		"hyperlight.pool.restores":         "{restore}",
		"hyperlight.pool.poisoned":         "{sandbox}",
		"hyperlight.pool.replaced":         "{sandbox}",
		"hyperlight.pool.failed_boots":     "{boot}",
		"hyperlight.pool.tenants":          "{tenant}",
		"hyperlight.pool.tenant_memory":    "By",
		"hyperlight.pool.tenant_hits":      "{tenant}",
		"hyperlight.pool.tenant_misses":    "{tenant}",
		"hyperlight.pool.tenant_evictions": "{tenant}",
	}, units)
	assert.Equal(t, map[string]float64{
		"hyperlight.pool.name=a,hyperlight.pool.state=idle":      1,
		"hyperlight.pool.name=a,hyperlight.pool.state=in_use":    2,
		"hyperlight.pool.name=a,hyperlight.pool.state=restoring": 3,
		"hyperlight.pool.name=a,hyperlight.pool.state=booting":   4,
		"hyperlight.pool.name=b,hyperlight.pool.state=idle":      0,
		"hyperlight.pool.name=b,hyperlight.pool.state=in_use":    0,
		"hyperlight.pool.name=b,hyperlight.pool.state=restoring": 0,
		"hyperlight.pool.name=b,hyperlight.pool.state=booting":   0,
	}, found["hyperlight.pool.sandboxes"])
	for name, value := range map[string]float64{
		"waiting": 5, "acquired": 6, "waited": 7, "wait_time": 8, "longest_wait": 1.5, "restores": 9, "poisoned": 10,
		"replaced": 11, "failed_boots": 12, "tenant_hits": 13, "tenant_misses": 14, "tenant_evictions": 15,
		"tenants": 16, "tenant_memory": 17,
	} {
		assert.Equal(t, map[string]float64{"hyperlight.pool.name=a": value, "hyperlight.pool.name=b": 0},
			found["hyperlight.pool."+name], name)
	}
}

// Backends compute rates of what only grows, and must not of the rest.
func TestPoolsMetricsThatGrow(t *testing.T) {
	var growing []string
	for _, metric := range ofPools([]namedPool{{"a", busy}}, started) {
		switch data := metric.Data.(type) {
		case metricdata.Sum[int64]:
			if data.IsMonotonic {
				growing = append(growing, metric.Name)
			}
		case metricdata.Sum[float64]:
			if data.IsMonotonic {
				growing = append(growing, metric.Name)
			}
		}
	}
	assert.ElementsMatch(t, []string{
		"hyperlight.pool.acquired", "hyperlight.pool.waited", "hyperlight.pool.wait_time", "hyperlight.pool.restores",
		"hyperlight.pool.poisoned", "hyperlight.pool.replaced", "hyperlight.pool.failed_boots",
		"hyperlight.pool.tenant_hits", "hyperlight.pool.tenant_misses", "hyperlight.pool.tenant_evictions",
	}, growing)
}

func add[N int64 | float64](t *testing.T, values map[string]float64, points []metricdata.DataPoint[N], now time.Time) {
	t.Helper()
	for _, point := range points {
		assert.Equal(t, started, point.StartTime)
		assert.Equal(t, now, point.Time)
		values[point.Attributes.Encoded(attribute.DefaultEncoder())] = float64(point.Value)
	}
}

func TestPoolsThatAreRefused(t *testing.T) {
	for message, options := range map[string][]Option{
		"otelmetrics: an option is nil":         {nil},
		"otelmetrics: a pool has no name":       {WithPool("", busy)},
		`otelmetrics: pool "a" is nil`:          {WithPool("a", nil)},
		`otelmetrics: two pools are called "a"`: {WithPool("a", busy), WithPool("b", busy), WithPool("a", busy)},
	} {
		_, err := NewProducer(options...)
		assert.EqualError(t, err, message)
	}
}
