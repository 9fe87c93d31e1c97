package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"sync"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Programs that embed the library choose it before anything else. Here it is too late.
func ExampleUseLibrary() {
	if _, err := hyperlight.Library(); err != nil {
		log.Fatal(err)
	}
	library := []byte("\x7fELF, and so on")
	err := hyperlight.UseLibrary(library)
	fmt.Println(errors.Is(err, hyperlight.ErrLibraryLoaded))
	// Output: true
}

// Files that nobody can have damaged need no check of all their bytes.
func ExampleWithoutVerification() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "snapshots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	loaded := newLoaded(countingHandler)
	defer loaded.Close()
	printCall(loaded)
	snapshot, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snapshot.Close()
	digest, err := snapshot.Save(dir, "v1")
	if err != nil {
		log.Fatal(err)
	}

	again, err := hyperlight.LoadSnapshot(dir, digest, hyperlight.WithoutVerification())
	if err != nil {
		log.Fatal(err)
	}
	defer again.Close()
	if err := loaded.Restore(ctx, again); err != nil {
		log.Fatal(err)
	}
	printCall(loaded)
	// Output:
	// 1
	// 2
}

// Calls of one sandbox take turns, so any number of goroutines may share it; to run at a time they need several.
func ExampleLoadedJSSandbox_HandleEvent_goroutines() {
	loaded := newLoaded(`let sum = 0; function handler(event) { return sum += event; }`)
	defer loaded.Close()
	var calls sync.WaitGroup
	for number := range 10 {
		calls.Go(func() {
			if _, err := loaded.HandleEvent(context.Background(), "greet", fmt.Append(nil, number)); err != nil {
				log.Fatal(err)
			}
		})
	}
	calls.Wait()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`0`))
	fmt.Println(string(result), err)
	// Output: 45 <nil>
}

func ExampleLogForwarder_SetLevel() {
	logs, err := hyperlight.ForwardLogs(slog.New(slog.DiscardHandler), hyperlight.WithLogCapacity(100))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(logs.SetLevel(slog.LevelError), logs.Dropped())
	fmt.Println(logs.Stop(context.Background()))
	fmt.Println(errors.Is(logs.SetLevel(slog.LevelWarn), hyperlight.ErrClosed))
	// Output:
	// <nil> 0
	// <nil>
	// true
}

// It has no output here, because only a library with the feature crashdump writes one.
func ExampleLoadedJSSandbox_GenerateCrashdump() {
	loaded := newLoaded(hello)
	defer loaded.Close()
	err := loaded.GenerateCrashdump(context.Background())
	switch {
	case errors.Is(err, hyperlight.ErrUnsupported):
		fmt.Println("build the library with ./build.sh --features crashdump")
	case err != nil:
		log.Fatal(err)
	}
}
