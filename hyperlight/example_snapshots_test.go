package hyperlight_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const counting = `let count = 0; function handler() { return ++count; }`

// Each customer gets the same clean guest, without a new boot.
func ExampleLoadedJSSandbox_Snapshot() {
	ctx := context.Background()
	loaded := newLoaded(counting)
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
func ExampleLoadedJSSandbox_Restore() {
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

// What one process saves, another one loads; here both are the same.
func ExampleLoadSnapshot() {
	ctx := context.Background()
	parent, err := os.MkdirTemp("", "snapshots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(parent)
	dir := filepath.Join(parent, "counter")

	first := newLoaded(counting)
	defer first.Close()
	if _, err := first.HandleEvent(ctx, "greet", []byte(`{}`)); err != nil {
		log.Fatal(err)
	}
	taken, err := first.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer taken.Close()
	if _, err := taken.Save(dir, "after-one"); err != nil {
		log.Fatal(err)
	}

	// Any sandbox with the host functions that the snapshot needs takes it.
	second := newLoaded(`function handler() { return "nothing"; }`)
	defer second.Close()
	loaded, err := hyperlight.LoadSnapshot(dir, "after-one")
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	if err := second.Restore(ctx, loaded); err != nil {
		log.Fatal(err)
	}
	result, err := second.HandleEvent(ctx, "greet", []byte(`{}`))
	fmt.Println(string(result), err)
	// Output: 2 <nil>
}

func ExampleSnapshot_Save() {
	dir, err := os.MkdirTemp("", "snapshots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	loaded := newLoaded(counting)
	defer loaded.Close()
	snapshot, err := loaded.Snapshot(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer snapshot.Close()
	digest, err := snapshot.Save(dir, "v1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(digest[:len("sha256:")], len(digest))
	_, err = hyperlight.LoadSnapshot(dir, "v2")
	fmt.Println(err != nil)
	// Output:
	// sha256: 71
	// true
}

func ExampleSnapshot_Config() {
	loaded := newLoaded(counting, hyperlight.WithHeapSize(6<<20))
	defer loaded.Close()
	snapshot, err := loaded.Snapshot(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer snapshot.Close()
	fmt.Println(snapshot.Config().HeapSize, loaded.Config().HeapSize)
	// Output: 6291456 6291456
}
