package otelmetrics

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// WithPool adds the numbers of a pool: a [*hyperlight.Pool], or whatever else has its Stats. The name tells it from
// others; it must not be empty, and no two pools of a producer may have the same. Pools are added here and not later,
// so what makes them later gives something of its own that looks for them. Upstream has no pools.
func WithPool(name string, pool interface{ Stats() hyperlight.PoolStats }) Option {
	return namedPool{name, pool}
}

type namedPool struct {
	name string
	pool interface{ Stats() hyperlight.PoolStats }
}

func (n namedPool) applyToProducer(p *Producer) error {
	switch {
	case n.name == "":
		return errors.New("otelmetrics: a pool has no name")
	case n.pool == nil:
		return fmt.Errorf("otelmetrics: pool %q is nil", n.name)
	}
	for _, other := range p.pools {
		if other.name == n.name {
			return fmt.Errorf("otelmetrics: two pools are called %q", n.name)
		}
	}
	p.pools = append(p.pools, n)
	return nil
}

// The attributes of pools' metrics.
const (
	poolNameKey  = attribute.Key("hyperlight.pool.name")
	poolStateKey = attribute.Key("hyperlight.pool.state")
)

// ofPools reads all pools, each once, so that its numbers agree with each other.
func ofPools(pools []namedPool, now time.Time) []metricdata.Metrics {
	if len(pools) == 0 {
		return nil
	}
	r := readings{now: now}
	for _, pool := range pools {
		r.pools = append(r.pools, reading{poolNameKey.String(pool.name), pool.pool.Stats()})
	}
	return []metricdata.Metrics{
		r.sandboxes(),
		r.upDown("waiting", "{caller}", "Callers that wait for a sandbox.",
			func(s hyperlight.PoolStats) int64 { return int64(s.Waiting) }),
		r.counter("acquired", "{sandbox}", "Sandboxes acquired.",
			func(s hyperlight.PoolStats) uint64 { return s.Acquired }),
		r.counter("waited", "{caller}", "Callers that have had to wait for a sandbox.",
			func(s hyperlight.PoolStats) uint64 { return s.Waited }),
		r.waitTime(),
		r.longestWait(),
		r.counter("restores", "{restore}", "Restores of sandboxes.",
			func(s hyperlight.PoolStats) uint64 { return s.Restores }),
		r.counter("poisoned", "{sandbox}", "Sandboxes that came back poisoned.",
			func(s hyperlight.PoolStats) uint64 { return s.Poisoned }),
		r.counter("replaced", "{sandbox}", "Sandboxes that were lost, and others booted in their place.",
			func(s hyperlight.PoolStats) uint64 { return s.Replaced }),
		r.counter("failed_boots", "{boot}", "Boots that failed.",
			func(s hyperlight.PoolStats) uint64 { return s.FailedBoots }),
		r.upDown("tenants", "{tenant}", "Tenants whose snapshots are kept.",
			func(s hyperlight.PoolStats) int64 { return int64(s.Tenants) }),
		r.upDown("tenant_memory", "By", "Memory that snapshots of tenants hold.",
			func(s hyperlight.PoolStats) int64 { return s.TenantBytes }),
		r.counter("tenant_hits", "{tenant}", "Tenants that were wanted, and whose snapshot was kept.",
			func(s hyperlight.PoolStats) uint64 { return s.TenantHits }),
		r.counter("tenant_misses", "{tenant}", "Tenants that were wanted, and whose snapshot was not kept.",
			func(s hyperlight.PoolStats) uint64 { return s.TenantMisses }),
		r.counter("tenant_evictions", "{tenant}", "Tenants whose snapshots gave way to others.",
			func(s hyperlight.PoolStats) uint64 { return s.TenantEvictions }),
	}
}

// readings are what several pools said at one moment.
type readings struct {
	pools []reading
	now   time.Time
}

type reading struct {
	name  attribute.KeyValue
	stats hyperlight.PoolStats
}

// sandboxes has a value for each state that a sandbox can be in. The sum is the pool's size.
func (r readings) sandboxes() metricdata.Metrics {
	sum := metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality}
	for _, pool := range r.pools {
		for _, state := range []struct {
			name  string
			count int
		}{
			{"idle", pool.stats.Idle},
			{"in_use", pool.stats.InUse},
			{"restoring", pool.stats.Restoring},
			{"booting", pool.stats.Booting},
		} {
			value := point(r, pool.name, int64(state.count))
			value.Attributes = attribute.NewSet(pool.name, poolStateKey.String(state.name))
			sum.DataPoints = append(sum.DataPoints, value)
		}
	}
	return poolMetric("sandboxes", "{sandbox}", "Sandboxes of the pool.", sum)
}

func (r readings) counter(name, unit, description string, value func(hyperlight.PoolStats) uint64) metricdata.Metrics {
	signed := func(s hyperlight.PoolStats) int64 { return int64(value(s)) }
	return poolMetric(name, unit, description, poolSum(r, true, signed))
}

func (r readings) upDown(name, unit, description string, value func(hyperlight.PoolStats) int64) metricdata.Metrics {
	return poolMetric(name, unit, description, poolSum(r, false, value))
}

func (r readings) waitTime() metricdata.Metrics {
	seconds := func(s hyperlight.PoolStats) float64 { return s.WaitTime.Seconds() }
	return poolMetric("wait_time", "s", "Time that callers have waited for sandboxes.", poolSum(r, true, seconds))
}

func (r readings) longestWait() metricdata.Metrics {
	seconds := func(s hyperlight.PoolStats) float64 { return s.LongestWait.Seconds() }
	points := poolSum(r, false, seconds).DataPoints
	return poolMetric("longest_wait", "s", "Longest time that a caller has waited for a sandbox.",
		metricdata.Gauge[float64]{DataPoints: points})
}

func poolMetric(name, unit, description string, data metricdata.Aggregation) metricdata.Metrics {
	return metricdata.Metrics{Name: "hyperlight.pool." + name, Description: description, Unit: unit, Data: data}
}

func poolSum[N int64 | float64](r readings, monotonic bool, value func(hyperlight.PoolStats) N) metricdata.Sum[N] {
	points := make([]metricdata.DataPoint[N], len(r.pools))
	for i, pool := range r.pools {
		points[i] = point(r, pool.name, value(pool.stats))
	}
	return metricdata.Sum[N]{DataPoints: points, Temporality: metricdata.CumulativeTemporality, IsMonotonic: monotonic}
}

func point[N int64 | float64](r readings, name attribute.KeyValue, value N) metricdata.DataPoint[N] {
	return metricdata.DataPoint[N]{Attributes: attribute.NewSet(name), StartTime: started, Time: r.now, Value: value}
}
