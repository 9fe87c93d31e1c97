package otelmetrics

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// started is when all metrics were zero. Nothing can be recorded before packages are initialized, and a start
// that is the same for all series, and in every export, is what rates are computed from.
var started = time.Now()

// scope says who made the metrics.
var scope = instrumentation.Scope{Name: "github.com/hyperlight-go/hyperlight-js/hyperlight/otelmetrics"}

// Producer hands hyperlight's metrics to a Reader of OpenTelemetry's SDK. It may be used by several readers,
// from any goroutine. Upstream has none: a Rust program has an exporter for its recorder.
type Producer struct{ pools []namedPool }

var _ metric.Producer = (*Producer)(nil)

// Option configures [NewProducer]. Upstream has none.
type Option interface{ applyToProducer(*Producer) error }

// NewProducer makes a producer, for metric.WithProducer. It reads nothing yet. Upstream has none.
//
// # Errors
//
// Those of options, and for one that is nil.
func NewProducer(opts ...Option) (*Producer, error) {
	p := &Producer{}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("otelmetrics: an option is nil")
		}
		if err := opt.applyToProducer(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Produce reads all metrics; Readers call it. It does not disturb guests that run, and does not wait for
// anything, so it needs no context.
//
// # Errors
//
// Those of [hyperlight.Metrics], hyperlight.ErrMetricsDisabled among them: call hyperlight.EnableMetrics before the
// first sandbox. What pools say is returned all the same, but OpenTelemetry's PeriodicReader exports nothing at all,
// not even the program's own metrics, while a producer fails; it hands the error to otel.Handle.
func (p *Producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	upstream, err := hyperlight.Metrics()
	now := time.Now()
	metrics := append(convert(upstream, now), ofPools(p.pools, now)...)
	if len(metrics) == 0 {
		return nil, err
	}
	return []metricdata.ScopeMetrics{{Scope: scope, Metrics: metrics}}, err
}
