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

// A program would give the producer to its PeriodicReader, or to the exporter for Prometheus. This one reads
// once, and prints what it read.
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
		fmt.Println(metric.Name, metric.Unit)
	}
	// Output:
	// hyperlight.active_proto_js_sandboxes {sandbox}
	// hyperlight.proto_js_sandboxes {sandbox}
}
