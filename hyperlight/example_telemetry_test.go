package hyperlight_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// It has no output here, because metrics must be enabled before the process's first sandbox.
func ExampleMetrics() {
	if err := hyperlight.EnableMetrics(); err != nil {
		log.Fatal(err)
	}
	loaded := newLoaded(`function handler(event) { return event; }`)
	defer loaded.Close()
	metrics, err := hyperlight.Metrics()
	if err != nil {
		log.Fatal(err)
	}
	for _, metric := range metrics {
		switch metric.Kind {
		case hyperlight.MetricHistogram:
			fmt.Println(metric.Name, metric.Labels, metric.Histogram.Count, metric.Histogram.Sum, metric.Unit)
		default:
			fmt.Println(metric.Name, metric.Labels, metric.Value)
		}
	}
}

func ExampleWithTracerProvider() {
	spans := &recorder{} // Yours is that of OpenTelemetry's SDK, or otel.GetTracerProvider().
	loaded := newLoaded(`function handler(event) { return event; }`, hyperlight.WithTracerProvider(spans))
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, span := range spans.spans {
		fmt.Println(span.name, span.attributes["hyperlight.handler.name"])
	}
	// Output:
	// hyperlight.build <nil>
	// hyperlight.load_runtime <nil>
	// hyperlight.load <nil>
	// hyperlight.handle_event greet
}

func ExampleForwardLogs() {
	loaded := newLoaded(`function handler(event) { return event; }`)
	defer loaded.Close()

	// Only what does not differ from run to run, for this example's sake.
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			switch attr.Key {
			case slog.LevelKey, slog.MessageKey, "target", "func_name":
				return attr
			}
			return slog.Attr{}
		},
	}))
	ctx := context.Background()
	logs, err := hyperlight.ForwardLogs(logger, hyperlight.WithLogLevel(slog.LevelInfo), hyperlight.WithSpans(true))
	if err != nil {
		log.Fatal(err)
	}
	_, err = loaded.HandleEvent(ctx, "greet", []byte(`{}`))
	fmt.Println(err, logs.Stop(ctx))
	// Unordered output:
	// level=INFO msg=call target=hyperlight_host::sandbox::initialized_multi_use func_name=RunHandler
	// level=INFO msg=handle_event target=hyperlight_js::sandbox::loaded_js_sandbox func_name="\"greet\""
	// <nil> <nil>
}
