package hyperlight_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const countingHandler = `let calls = 0; function handler(event) { return ++calls; }`

// printCall calls the handler and prints the result.
func printCall(loaded *hyperlight.LoadedJSSandbox) {
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(result))
}

func ExampleLoadedJSSandbox_Restore() {
	ctx := context.Background()
	loaded := newLoaded(countingHandler)
	defer loaded.Close()
	printCall(loaded)
	snapshot, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snapshot.Close()
	printCall(loaded)
	if err := loaded.Restore(ctx, snapshot); err != nil {
		log.Fatal(err)
	}
	printCall(loaded)
	// Output:
	// 1
	// 2
	// 2
}

// One sandbox does the work, another one, or many, begin where it stopped.
func ExampleLoadedJSSandbox_Snapshot() {
	ctx := context.Background()
	first := newLoaded(countingHandler)
	printCall(first)
	snapshot, err := first.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snapshot.Close()
	first.Close()

	second := newLoaded(`function handler() { return "something else"; }`)
	defer second.Close()
	if err := second.Restore(ctx, snapshot); err != nil {
		log.Fatal(err)
	}
	printCall(second)
	fmt.Println(snapshot.Config().HeapSize == second.Config().HeapSize)
	// Output:
	// 1
	// 2
	// true
}

func ExampleSnapshot_Save() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "snapshots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	first := newLoaded(countingHandler)
	printCall(first)
	snapshot, err := first.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	digest, err := snapshot.Save(dir, "v1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(digest[:7])
	snapshot.Close()
	first.Close()

	// The same process or another one, today or tomorrow:
	loaded, err := hyperlight.LoadSnapshot(dir, "v1")
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	second := newLoaded(`function handler() { return "something else"; }`)
	defer second.Close()
	if err := second.Restore(ctx, loaded); err != nil {
		log.Fatal(err)
	}
	printCall(second)
	// Output:
	// 1
	// sha256:
	// 2
}

func ExampleLoadSnapshot() {
	_, err := hyperlight.LoadSnapshot("no such folder", "v1")
	fmt.Println(err)
	// Output:
	// hyperlight: LoadSnapshot: load failed to stat "no such folder": No such file or directory (os error 2)
}

// Each customer gets the same clean guest, without a new boot.
func ExampleLoadedJSSandbox_Snapshot_customers() {
	ctx := context.Background()
	loaded := newLoaded(countingHandler)
	defer loaded.Close()
	clean, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer clean.Close()
	for _, customer := range []string{"Ada", "Grace"} {
		if err := loaded.Restore(ctx, clean); err != nil {
			log.Fatal(err)
		}
		result, err := loaded.HandleEvent(ctx, "greet", []byte(`{}`))
		fmt.Println(customer, string(result), err)
	}
	// Output:
	// Ada 1 <nil>
	// Grace 1 <nil>
}

// A snapshot recovers a sandbox whose guest was stopped.
func ExampleLoadedJSSandbox_Restore_poisoned() {
	ctx := context.Background()
	loaded := newLoaded(`function handler(event) { while (event.loop) {} return "done"; }`)
	defer loaded.Close()
	clean, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer clean.Close()
	limit := hyperlight.WithMonitors(hyperlight.WallClock(50 * time.Millisecond))
	_, err = loaded.HandleEvent(ctx, "greet", []byte(`{"loop":true}`), limit)
	fmt.Println(err)
	fmt.Println(loaded.Status())
	if err := loaded.Restore(ctx, clean); err != nil {
		log.Fatal(err)
	}
	result, err := loaded.HandleEvent(ctx, "greet", []byte(`{"loop":false}`))
	fmt.Println(string(result), err, loaded.Status())
	// Output:
	// hyperlight: HandleEvent: Execution was cancelled by the host. (by wall-clock)
	// poisoned
	// "done" <nil> ready
}
