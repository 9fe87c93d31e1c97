package main

import (
	"net/http"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/hyperlight-go/hyperlight-js/hyperlight/otelmetrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
)

// metricsHandler gives upstream's metrics, and the pool's, to Prometheus.
func metricsHandler(pool *hyperlight.Pool) (http.Handler, error) {
	producer, err := otelmetrics.NewProducer(otelmetrics.WithPool("functions", pool))
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithProducer(producer))
	if err != nil {
		return nil, err
	}
	metric.NewMeterProvider(metric.WithReader(reader)) // A reader works once it has a provider.
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), nil
}
