package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// A guest that runs out of memory is over, but a snapshot brings it back.
func ExampleLoadedJSSandbox_HandleEvent_outOfMemory() {
	ctx := context.Background()
	loaded := newLoaded(`function handler(mib) { return new Uint8Array(mib << 20).fill(1).length; }`)
	defer loaded.Close()
	clean, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer clean.Close()

	_, err = loaded.HandleEvent(ctx, "greet", []byte(`100`))
	if errors.Is(err, hyperlight.ErrOutOfMemory) {
		fmt.Println(err)
		fmt.Println(loaded.Status())
		if err := loaded.Restore(ctx, clean); err != nil {
			log.Fatal(err)
		}
	}
	result, err := loaded.HandleEvent(ctx, "greet", []byte(`1`))
	fmt.Println(string(result), err)
	// Output:
	// hyperlight: HandleEvent: Guest aborted: 13  (raise WithHeapSize and WithScratchSize)
	// poisoned
	// 1048576 <nil>
}

// To fill its heap, a guest needs that much scratch, both buffers, and 2 MiB.
func ExampleWithScratchSize() {
	const heap, buffers = 32 << 20, 1 << 20
	loaded := newLoaded(`
		function handler(arrays) {
			const held = [];
			while (held.length < arrays) held.push(new Uint8Array(16000).fill(1));
			return held.length * 16000;
		}`,
		hyperlight.WithHeapSize(heap),
		hyperlight.WithInputBufferSize(buffers), hyperlight.WithOutputBufferSize(buffers),
		hyperlight.WithScratchSize(heap+2*buffers+2<<20))
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`1800`))
	fmt.Println(string(result), err)
	// Output: 28800000 <nil>
}

// An event that does not fit is refused, and costs nothing.
func ExampleWithInputBufferSize() {
	loaded := newLoaded(`function handler(event) { return event.length; }`, hyperlight.WithInputBufferSize(16<<10))
	defer loaded.Close()
	event := `"` + strings.Repeat("x", 20_000) + `"`
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(event))
	fmt.Println(errors.Is(err, hyperlight.ErrBufferTooSmall), loaded.Status())
	// Output: true ready
}

// A result that does not fit ends the guest.
func ExampleWithOutputBufferSize() {
	loaded := newLoaded(`function handler(event) { return "x".repeat(event); }`, hyperlight.WithOutputBufferSize(16<<10))
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`20000`))
	fmt.Println(errors.Is(err, hyperlight.ErrOutputTooBig), loaded.Status())
	// Output: true poisoned
}

// What is in effect can be read back, at any time.
func ExampleConfig() {
	loaded := newLoaded(hello, hyperlight.WithHeapSize(16<<20))
	defer loaded.Close()
	config := loaded.Config()
	fmt.Println(config.HeapSize, config.ScratchSize == hyperlight.DefaultScratchSize, config.InterruptRetryDelay)
	// Output: 16777216 true 500µs
}
