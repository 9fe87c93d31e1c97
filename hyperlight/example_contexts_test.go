package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// A deadline stops a guest that loops for ever, and the error is the context's, too.
func ExampleLoadedJSSandbox_HandleEvent_deadline() {
	loaded := newLoaded(endless)
	defer loaded.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := loaded.HandleEvent(ctx, "greet", []byte(`{}`))
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, hyperlight.ErrCancelled), loaded.Status())
	fmt.Println(err)
	// Output:
	// true true poisoned
	// hyperlight: HandleEvent: Execution was cancelled by the host. (by context: context deadline exceeded)
}

// So does a cancellation, whose cause is found, too.
func ExampleLoadedJSSandbox_HandleEvent_cancelled() {
	errHungUp := errors.New("the client hung up")
	ctx, cancel := context.WithCancelCause(context.Background())
	loaded := newLoaded(`function handler() { console.log("it runs"); while (true) {} }`,
		hyperlight.WithPrintFunc(func(string) { cancel(errHungUp) }))
	defer loaded.Close()
	_, err := loaded.HandleEvent(ctx, "greet", []byte(`{}`))
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, errHungUp))
	// Output: true true
}

// A context that has ended before keeps the guest from running, and nothing is poisoned.
func ExampleLoadedJSSandbox_HandleEvent_late() {
	loaded := newLoaded(hello)
	defer loaded.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := loaded.HandleEvent(ctx, "greet", []byte(`{}`))
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, hyperlight.ErrCancelled), loaded.Status())
	// Output:
	// hyperlight: HandleEvent: the guest did not run: context canceled
	// true false ready
}

// Code outside of handlers is stopped as well. The sandbox is lost then, as with anything else that fails there.
func ExampleJSSandbox_Load_deadline() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("greet", hyperlight.Script("while (true) {}\n"+hello)); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = sandbox.Load(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), sandbox.Status())
	// Output: true consumed
}

// Close stops the call that runs, and does not wait for it.
func ExampleLoadedJSSandbox_Close() {
	running := make(chan struct{})
	loaded := newLoaded(`function handler() { console.log("it runs"); while (true) {} }`,
		hyperlight.WithPrintFunc(func(string) { close(running) }))
	go func() {
		<-running
		loaded.Close()
	}()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	fmt.Println(err)
	fmt.Println(errors.Is(err, hyperlight.ErrClosed), loaded.Status())
	// Output:
	// hyperlight: HandleEvent: the sandbox was closed, which stopped the guest
	// true closed
}

// A host function gets a context that ends with its call. The guest is stopped when it returns.
func ExampleProtoJSSandbox_Register_context() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	if err := proto.Register("mail", "next", func(ctx context.Context) (string, error) {
		<-ctx.Done() // No mail comes.
		return "", ctx.Err()
	}); err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("mail", hyperlight.Script(`
		import * as mail from "mail";
		function handler() { return mail.next(); }`)); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = loaded.HandleEvent(ctx, "mail", []byte(`{}`))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// A host function may use any sandbox but the one that waits for it.
func ExampleLoadedJSSandbox_HandleEvent_nested() {
	inner := newLoaded(`function handler(event) { return event * 2; }`)
	defer inner.Close()
	var outer *hyperlight.LoadedJSSandbox
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(
		proto.Register("sandboxes", "inner", func(ctx context.Context, number int) (string, error) {
			result, err := inner.HandleEvent(ctx, "greet", fmt.Append(nil, number))
			return string(result), err
		}),
		proto.Register("sandboxes", "itself", func(ctx context.Context) error {
			_, err := outer.HandleEvent(ctx, "greet", []byte(`0`))
			fmt.Println(errors.Is(err, hyperlight.ErrReentrant))
			return err
		}),
	); err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("greet", hyperlight.Script(`
		import * as sandboxes from "sandboxes";
		function handler(event) {
			try { sandboxes.itself(); } catch {}
			return sandboxes.inner(event);
		}`)); err != nil {
		log.Fatal(err)
	}
	outer, err = sandbox.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer outer.Close()
	result, err := outer.HandleEvent(context.Background(), "greet", []byte(`21`))
	fmt.Println(string(result), err)
	// Output:
	// true
	// "42" <nil>
}
