package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// handleEvent calls a handler and leaves the sandbox ready, if that can be had.
func handleEvent(
	ctx context.Context, loaded *hyperlight.LoadedJSSandbox, clean *hyperlight.Snapshot, event string,
) ([]byte, error) {
	result, err := loaded.HandleEvent(ctx, "greet", []byte(event),
		hyperlight.WithMonitors(hyperlight.CPUTime(50*time.Millisecond)))
	if loaded.Status().IsPoisoned() {
		// Not with ctx: it may be what stopped the guest.
		if restored := loaded.Restore(context.Background(), clean); restored != nil {
			err = errors.Join(err, restored)
		}
	}
	return result, err
}

// The status says whether the sandbox can go on, and the error says whose fault it was.
func ExampleLoadedJSSandbox_Status() {
	ctx := context.Background()
	loaded := newLoaded(`
		function handler(event) {
			if (event == "throw") throw new RangeError("too far");
			while (event == "loop") {}
			return new Uint8Array(event == "fill" ? 100 << 20 : 1).length;
		}`)
	defer loaded.Close()
	clean, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer clean.Close()
	for _, event := range []string{`"throw"`, `"loop"`, `"fill"`, `"work"`, `not JSON`} {
		result, err := handleEvent(ctx, loaded, clean, event)
		switch {
		case err == nil:
			fmt.Println("the result:", string(result))
		case errors.Is(err, hyperlight.ErrInvalidJSON), errors.Is(err, hyperlight.ErrBufferTooSmall):
			fmt.Println("the caller's fault: a bad event")
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			fmt.Println("nobody's fault: the caller is gone")
		case errors.Is(err, hyperlight.ErrJSException):
			fmt.Println("the script's fault: an exception")
		case errors.Is(err, hyperlight.ErrCancelled), errors.Is(err, hyperlight.ErrOutOfMemory):
			fmt.Println("the script's fault: it wanted too much")
		default:
			fmt.Println("our fault:", err)
		}
	}
	fmt.Println(loaded.Status())
	// Output:
	// the script's fault: an exception
	// the script's fault: it wanted too much
	// the script's fault: it wanted too much
	// the result: 1
	// the caller's fault: a bad event
	// ready
}

// A guest decides what its exceptions say. The Go error of a host function is more than a text.
func ExampleJSException_Unwrap() {
	type quotaError struct{ error }
	result, err := run(func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.Register("store", "put", func(string) error {
			return quotaError{errors.New("the store is full")}
		})
	}, `
		import * as store from "store";
		function handler(event) { store.put(event); }`, `"a value"`)
	fmt.Printf("%q\n", result)
	var quota quotaError
	var exception *hyperlight.JSException
	fmt.Println(errors.As(err, &quota), quota)
	fmt.Println(errors.As(err, &exception), len(exception.Stack) > 0)
	// Output:
	// ""
	// true the store is full
	// true true
}
