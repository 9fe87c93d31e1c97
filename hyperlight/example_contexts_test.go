package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// The deadline of a context stops a handler that never ends.
func ExampleLoadedJSSandbox_HandleEvent_deadline() {
	loaded := newLoaded(endless)
	defer loaded.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := loaded.HandleEvent(ctx, "greet", []byte(`{}`))
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, hyperlight.ErrCancelled), loaded.Status())
	// Output:
	// hyperlight: HandleEvent: Execution was cancelled by the host. (by context: context deadline exceeded)
	// true true poisoned
}

// So does it what a script does while it is loaded.
func ExampleJSSandbox_Load_deadline() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("greet", hyperlight.Script(`while (true) {} function handler() {}`)); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = sandbox.Load(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, hyperlight.ErrCancelled), sandbox.Status())
	// Output:
	// true true consumed
}

// A host function that may take long looks at its context, which ends with that of the call.
func ExampleProtoJSSandbox_Register_context() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	if err := proto.Register("host", "wait", func(ctx context.Context) error {
		<-ctx.Done()
		fmt.Println("the function:", context.Cause(ctx))
		return ctx.Err()
	}); err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("greet", hyperlight.Script(`
		import { wait } from "host";
		function handler() { try { wait(); } catch { return "ignored"; } }`)); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errors.New("lunch"))
	defer cancel()
	_, err = loaded.HandleEvent(ctx, "greet", []byte(`{}`))
	fmt.Println("the call:", err)
	// Output:
	// the function: lunch
	// the call: hyperlight: HandleEvent: Execution was cancelled by the host. (by context: context deadline exceeded: lunch)
}

// A sandbox does not wait for itself.
func ExampleErrReentrant() {
	var loaded *hyperlight.LoadedJSSandbox
	loaded = newLoaded(`function handler() { console.log("hello"); return 1; }`, hyperlight.WithPrintFunc(func(string) {
		_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
		fmt.Println(errors.Is(err, hyperlight.ErrReentrant))
	}))
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	fmt.Println(string(result), err)
	// Output:
	// true
	// 1 <nil>
}

// Close stops the guest, whatever it does.
func ExampleLoadedJSSandbox_Close() {
	running := make(chan struct{})
	loaded := newLoaded(`function handler() { console.log("running"); while (true) {} }`,
		hyperlight.WithPrintFunc(func(string) { close(running) }))
	go func() {
		<-running
		_ = loaded.Close()
	}()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	fmt.Println(errors.Is(err, hyperlight.ErrClosed), err)
	// Output: true hyperlight: HandleEvent: the sandbox was closed, which stopped the guest
}
