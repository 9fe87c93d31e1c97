package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/hyperlight-go/hyperlight-js/hyperlight/otelmetrics"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// telemetry sends spans and metrics to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, or else prints them.
type telemetry struct {
	tracers *trace.TracerProvider
	meters  *metric.MeterProvider
}

// startTelemetry comes before the first sandbox: metrics count from there.
func startTelemetry(ctx context.Context, stdout io.Writer) (*telemetry, error) {
	if err := hyperlight.EnableMetrics(); err != nil {
		return nil, err
	}
	producer, err := otelmetrics.NewProducer()
	if err != nil {
		return nil, err
	}
	spans, metrics, err := exporters(ctx, stdout)
	if err != nil {
		return nil, err
	}
	service, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "shop")),
		resource.WithFromEnv()) // OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
	if err != nil {
		return nil, err
	}
	return &telemetry{
		tracers: trace.NewTracerProvider(trace.WithBatcher(spans), trace.WithResource(service)),
		meters: metric.NewMeterProvider(metric.WithResource(service),
			metric.WithReader(metric.NewPeriodicReader(metrics, metric.WithProducer(producer)))),
	}, nil
}

// exporters for OTLP read their other environment variables themselves.
func exporters(ctx context.Context, stdout io.Writer) (trace.SpanExporter, metric.Exporter, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		spans, err := stdouttrace.New(stdouttrace.WithWriter(stdout))
		if err != nil {
			return nil, nil, err
		}
		metrics, err := stdoutmetric.New(stdoutmetric.WithWriter(stdout))
		return spans, metrics, err
	}
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	metrics, err := otlpmetrichttp.New(ctx)
	return spans, metrics, err
}

// stop sends what there is to be sent.
func (t *telemetry) stop(ctx context.Context) error {
	return errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx))
}
