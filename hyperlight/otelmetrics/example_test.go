package otelmetrics_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/hyperlight-go/hyperlight-js/hyperlight/otelmetrics"
)

// The numbers of a pool come with those of upstream.
func ExampleWithPool() {
	ctx := context.Background()
	if err := hyperlight.EnableMetrics(); err != nil { // before the first sandbox
		log.Fatal(err)
	}
	pool, err := hyperlight.NewPool(ctx, hyperlight.Template{Add: func(sandbox *hyperlight.JSSandbox) error {
		return sandbox.AddHandler("greet", hyperlight.Script(`function handler(event) { return "Hello"; }`))
	}}, hyperlight.PoolSize(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close(ctx)
	producer, err := otelmetrics.NewProducer(otelmetrics.WithPool("greetings", pool))
	if err != nil {
		log.Fatal(err)
	}
	reader := metric.NewManualReader(metric.WithProducer(producer))
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	defer provider.Shutdown(ctx)
	for range 3 {
		if _, err := pool.HandleEvent(ctx, "greet", []byte(`{}`)); err != nil {
			log.Fatal(err)
		}
	}

	var found metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &found); err != nil {
		log.Fatal(err)
	}
	for _, metric := range found.ScopeMetrics[0].Metrics {
		if metric.Name == "hyperlight.pool.acquired" {
			point := metric.Data.(metricdata.Sum[int64]).DataPoints[0]
			name, _ := point.Attributes.Value("hyperlight.pool.name")
			fmt.Println(metric.Name, name.AsString(), point.Value)
		}
	}
	// Output: hyperlight.pool.acquired greetings 3
}

// A program would give the producer to its PeriodicReader, or to the exporter for Prometheus. This one reads
// once, and prints one metric of what it read.
func ExampleNewProducer() {
	ctx := context.Background()
	if err := hyperlight.EnableMetrics(); err != nil { // before the first New
		log.Fatal(err)
	}
	producer, err := otelmetrics.NewProducer()
	if err != nil {
		log.Fatal(err)
	}
	reader := metric.NewManualReader(metric.WithProducer(producer))
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	defer provider.Shutdown(ctx)

	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	defer proto.Close()

	var found metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &found); err != nil {
		log.Fatal(err)
	}
	for _, metric := range found.ScopeMetrics[0].Metrics {
		if metric.Name == "hyperlight.active_proto_js_sandboxes" {
			fmt.Println(metric.Name, metric.Unit)
			fmt.Println(metric.Description)
		}
	}
	// Output:
	// hyperlight.active_proto_js_sandboxes {sandbox}
	// Sandboxes that have no JavaScript runtime yet.
}
