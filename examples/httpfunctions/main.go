// Httpfunctions serves functions that its users write in JavaScript. See README.md in this folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var limits limits
	listen := flag.String("listen", "127.0.0.1:8080", "`address` to listen on")
	grace := flag.Duration("grace", 10*time.Second, "how long requests may go on after SIGINT or SIGTERM")
	flag.IntVar(&limits.sandboxes, "sandboxes", 4, "how many events are handled at a time")
	flag.IntVar(&limits.perFunction, "per-function", 2, "how many of them may be those of one function")
	flag.IntVar(&limits.functions, "functions", 1000, "how many functions there may be")
	flag.DurationVar(&limits.cpuTime, "cpu", 200*time.Millisecond, "processor time of an event")
	flag.DurationVar(&limits.time, "timeout", 5*time.Second, "time of an event, the wait for a sandbox included")
	flag.DurationVar(&limits.loadTime, "load", 2*time.Second, "time of a function's top-level code")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", *listen)
	if err == nil {
		slog.Info("listening", "url", "http://"+listener.Addr().String())
		err = run(ctx, listener, limits, *grace)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "httpfunctions:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then lets requests end.
func run(ctx context.Context, listener net.Listener, limits limits, grace time.Duration) error {
	defer listener.Close()
	server, err := newServer(ctx, limits)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.serve(listener) }()
	select {
	case err := <-failed:
		return errors.Join(err, server.stop(0))
	case <-ctx.Done():
		slog.Info("shutting down", "grace", grace)
		return server.stop(grace)
	}
}
