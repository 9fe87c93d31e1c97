package hyperlight

import (
	"bytes"
	"context"
	"fmt"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// IsHypervisorPresent says whether /dev/kvm or /dev/mshv can be opened and answers. That does not mean
// that it can run a guest, which only [Probe] finds out. Upstream: is_hypervisor_present.
//
// # Errors
//
// Those of [Library], which it loads.
func IsHypervisorPresent() (bool, error) {
	const op = "IsHypervisorPresent"
	if _, err := loadLibrary(op); err != nil {
		return false, err
	}
	present, err := capi.IsHypervisorPresent()
	return present, nativeError(op, err)
}

// Probe boots a guest with these options, runs a handler in it, and closes it. It returns nil when that
// works, and otherwise the error that [New] and what follows it would return, whose text says what
// to do: call it when your program starts, rather than find out from the first request. It costs a boot,
// tens of milliseconds on real hardware. Upstream has none; is_hypervisor_present tells less.
//
// When ctx ends before the guest has answered, as it may on a hypervisor that hangs, Probe returns
// and leaves the attempt, with its thread, behind.
//
// # Errors
//
// [ErrLibraryNotFound], [ErrABIMismatch] and [ErrUnsupported]: there is no library to boot a guest with;
// [ErrNoHypervisor]: there is no hypervisor, or this user may not open it; [ErrHypervisorUnusable]: there is
// one, but it cannot run a guest; [ErrHostResources], [ErrMemorySize], [ErrInvalidArgument]; and
// the error of ctx.
func Probe(ctx context.Context, opts ...Option) error {
	const op = "Probe"
	if ctx == nil {
		return invalidArgument(op, "ctx is nil; pass context.Background()")
	}
	if ctx.Err() != nil {
		return contextError(op, ctx)
	}
	type answer struct {
		err      error
		panicked *capi.Panic
	}
	answered := make(chan answer, 1)
	go func() {
		var a answer
		// What ctx and the options do may be the user's own code, whose panics are the caller's.
		a.panicked = capi.GuardedApart(func() { a.err = probe(ctx, opts) })
		answered <- a
	}()
	select {
	case a := <-answered:
		if a.panicked != nil {
			panic(a.panicked.Value) // A Goexit there is a panic here: this goroutine is the caller's.
		}
		return a.err
	case <-ctx.Done():
		cause := causeOf(ctx)
		return &Error{Op: op, Code: CodeContextDone, Message: "no guest has answered: " + cause.Error(), cause: cause}
	}
}

func probe(ctx context.Context, opts []Option) error {
	event := []byte(`{"sent":42}`)
	o := runOptions{sandbox: opts}
	answer, err := o.run(ctx, "function handler(event) { return event; }", event)
	if err != nil {
		return err
	}
	if !bytes.Equal(answer, event) {
		return &Error{Op: "Probe", Code: CodeInternal, Message: fmt.Sprintf("the guest answered %q to %q", answer, event)}
	}
	return nil
}
