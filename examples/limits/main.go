// Limits stops guests in every way there is, and goes on. See README.md in this folder.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

//go:embed handler.js
var source string

// limit is long enough to see the guest run, and short enough to wait for.
const limit = 100 * time.Millisecond

var errHungUp = errors.New("the client hung up")

func main() {
	ctx := context.Background()
	loaded := load(ctx)
	// What every sandbox is restored to.
	clean, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer clean.Close()

	const row = "%-18s %-48s %-10s %s\n"
	fmt.Printf(row, "stopped by", "the error matches", "it left", "recovered by")
	for _, way := range ways {
		err := way.stop(ctx, loaded)
		status := loaded.Status()
		var how string
		loaded, how = recovered(ctx, loaded, clean)
		fmt.Printf(row, way.name, matches(err), status, how)

		// A call after each: nothing of what happened is left.
		if result, err := call(ctx, loaded, "work"); err != nil || string(result) != `"done"` {
			log.Fatalf("after %q: %s, %v", way.name, result, err)
		}
	}
	loaded.Close()

	fmt.Printf(row, "context of Load", matches(loopOutside(ctx)), "consumed", "a new sandbox")
}

// ways are all the ways in which a call can be stopped from outside, or stops itself.
var ways = []struct {
	name string
	stop func(context.Context, *hyperlight.LoadedJSSandbox) error
}{
	{"wall clock", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		_, err := call(ctx, loaded, "loop", hyperlight.WithMonitors(hyperlight.WallClock(limit)))
		return err
	}},
	{"CPU time", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		_, err := call(ctx, loaded, "loop", hyperlight.WithMonitors(hyperlight.CPUTime(limit)))
		return err
	}},
	{"deadline", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		_, err := call(ctx, loaded, "loop")
		return err
	}},
	{"cancellation", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		ctx, cancel := context.WithCancelCause(ctx)
		_, err := call(ctx, loaded, "loop", whenItRuns(func() { cancel(errHungUp) }))
		return err
	}},
	{"trigger", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		shutdown, err := hyperlight.NewTrigger("shutdown")
		if err != nil {
			return err
		}
		_, err = call(ctx, loaded, "loop", hyperlight.WithMonitors(shutdown), whenItRuns(shutdown.Fire))
		return err
	}},
	{"interrupt handle", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		handle, err := loaded.InterruptHandle()
		if err != nil {
			return err
		}
		_, err = call(ctx, loaded, "loop", whenItRuns(func() { handle.Kill() }))
		return err
	}},
	{"heap", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		_, err := call(ctx, loaded, "fill")
		return err
	}},
	{"output buffer", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		_, err := call(ctx, loaded, "talk")
		return err
	}},
	{"input buffer", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		_, err := call(ctx, loaded, strings.Repeat("x", 1<<20)) // The guest does not run at all.
		return err
	}},
	{"Close", func(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
		_, err := call(ctx, loaded, "loop", whenItRuns(func() { loaded.Close() }))
		return err
	}},
}

// call has the handler do what it is told, such as "loop".
func call(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, what string, opts ...hyperlight.CallOption) ([]byte, error) {
	return loaded.HandleEvent(ctx, "limits", fmt.Appendf(nil, "%q", what), opts...)
}

// whenItRuns stops a guest that has said that it runs.
func whenItRuns(stop func()) hyperlight.CallOption {
	return hyperlight.WithPrintFunc(func(string) { go stop() })
}

// recovered makes a sandbox ready again, or another one where that cannot be done.
func recovered(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, clean *hyperlight.Snapshot) (*hyperlight.LoadedJSSandbox, string) {
	switch status := loaded.Status(); {
	case status.IsReady():
		return loaded, "itself"
	case status.IsPoisoned():
		// Not with the context of the call: it may be what has ended.
		if err := loaded.Restore(ctx, clean); err != nil {
			log.Fatal(err)
		}
		return loaded, "Restore"
	default: // closed, or unrecoverable
		loaded.Close()
		return load(ctx), "a new sandbox"
	}
}

// load boots a sandbox, with limits on its memory and on what goes in and out.
func load(ctx context.Context) *hyperlight.LoadedJSSandbox {
	loaded, err := hyperlight.Template{
		Options: []hyperlight.Option{
			hyperlight.WithHeapSize(4 << 20), hyperlight.WithScratchSize(8 << 20),
			hyperlight.WithInputBufferSize(64 << 10), hyperlight.WithOutputBufferSize(64 << 10),
		},
		Add: func(sandbox *hyperlight.JSSandbox) error {
			return sandbox.AddHandler("limits", hyperlight.Script(source))
		},
	}.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	return loaded
}

// loopOutside loads a script that loops before it has a handler.
func loopOutside(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	_, err := hyperlight.Run(ctx, "console.log('it runs'); while (true) {}\n"+source, []byte(`"work"`),
		hyperlight.WithPrintFunc(func(string) { cancel(errHungUp) }))
	return err
}

// matches names the sentinels that an error matches, and what stopped the guest.
func matches(err error) string {
	var names []string
	for _, sentinel := range []struct {
		name string
		err  error
	}{
		{"ErrCancelled", hyperlight.ErrCancelled},
		{"ErrOutOfMemory", hyperlight.ErrOutOfMemory},
		{"ErrOutputTooBig", hyperlight.ErrOutputTooBig},
		{"ErrBufferTooSmall", hyperlight.ErrBufferTooSmall},
		{"ErrClosed", hyperlight.ErrClosed},
		{"DeadlineExceeded", context.DeadlineExceeded},
		{"Canceled", context.Canceled},
		{"errHungUp", errHungUp},
	} {
		if errors.Is(err, sentinel.err) {
			names = append(names, sentinel.name)
		}
	}
	text := strings.Join(names, ", ")
	var failure *hyperlight.Error
	if errors.As(err, &failure) && failure.Monitor != "" {
		text += " (by " + failure.Monitor + ")"
	}
	return text
}
