// Otel exports spans and metrics of guests through OpenTelemetry. See README.md in this folder.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

//go:embed handler.js
var source string

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, stdout io.Writer) (err error) {
	telemetry, err := startTelemetry(ctx, stdout)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		err = errors.Join(err, telemetry.stop(ctx))
	}()
	tracer := telemetry.tracers.Tracer("shop")

	loaded, err := hyperlight.Template{
		Options: []hyperlight.Option{hyperlight.WithTracerProvider(telemetry.tracers)},
		Register: func(proto *hyperlight.ProtoJSSandbox) error {
			return proto.Register("shop", "price", func(ctx context.Context, item string) (float64, error) {
				return price(ctx, tracer, item)
			})
		},
		Add: func(sandbox *hyperlight.JSSandbox) error {
			return sandbox.AddHandler("checkout", hyperlight.Script(source))
		},
	}.Load(ctx)
	if err != nil {
		return err
	}
	defer loaded.Close()

	for _, cart := range []string{`{"items":["tea","cup"]}`, `{"items":[]}`} {
		request(ctx, tracer, loaded, cart)
	}
	return nil
}

// request is a span of this program; what happens in the sandbox, and in Go on its behalf, is below it.
func request(ctx context.Context, tracer trace.Tracer, loaded *hyperlight.LoadedJSSandbox, cart string) {
	ctx, span := tracer.Start(ctx, "request")
	defer span.End()
	sum, err := loaded.HandleEvent(ctx, "checkout", []byte(cart))
	if err != nil {
		span.SetStatus(codes.Error, "no checkout")
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Fprintf(os.Stderr, "%s costs %s\n", cart, sum)
}

// price is called by JavaScript. Its context has the span of that call: a client of a database would go on from it.
func price(ctx context.Context, tracer trace.Tracer, item string) (float64, error) {
	_, span := tracer.Start(ctx, "look up "+item)
	defer span.End()
	switch item {
	case "tea":
		return 3.5, nil
	case "cup":
		return 8, nil
	}
	return 0, fmt.Errorf("there is no %q", item)
}
