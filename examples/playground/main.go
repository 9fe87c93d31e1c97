// Playground is a web page where anybody can run JavaScript in micro-VMs: one binary, the page included. README.md in this
// folder shows how it is used.
//
//	settings.go  what the operator may set
//	server.go    the HTTP server; headers.go, what protects its answers; page.go, the page itself
//	actions.go   what the page may ask for; body.go reads it, stream.go answers while the guest runs
//	sessions.go  who has a sandbox; visitors.go, how often an address may ask; turns.go, how many guests run at a time
//	sandbox.go   the sandbox of one visitor; boot.go makes it, limits.go bounds it, store.go is what it can call in Go
//	failure.go   errors, worded for people who write JavaScript
//	samples.go   the gallery
package main

//go:generate go -C page/bundle run . ..

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait
	switch err := run(ctx, os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "playground:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
	s, err := parseSettings(args, os.Stderr)
	if err != nil {
		return err
	}
	// A playground that cannot boot a guest says so now, and not to its first visitor.
	if err := hyperlight.Probe(ctx); err != nil {
		return err
	}
	return newServer(s, slog.New(slog.NewTextHandler(os.Stderr, nil))).listenAndServe(ctx)
}
