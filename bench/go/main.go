// The warm call of bench/, and batches of it, on the Go API. See ../README.md.
package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	warmUp = 200
	calls  = 1000
	batch  = 100
)

func main() {
	ctx := context.Background()
	proto, err := hyperlight.New(
		hyperlight.WithHeapSize(8<<20), hyperlight.WithScratchSize(16<<20),
		hyperlight.WithInputBufferSize(1<<20), hyperlight.WithOutputBufferSize(1<<20))
	check(err)
	sandbox, err := proto.LoadRuntime(ctx)
	check(err)
	check(sandbox.AddHandler("handler", hyperlight.Script("function handler(event) { return event; }")))
	loaded, err := sandbox.Load(ctx)
	check(err)
	defer loaded.Close()
	for _, gc := range []bool{false, true} {
		event := []byte(`{"a":1}`)
		measure("go", gc, func(calls int) {
			for range calls {
				_, err := loaded.HandleEvent(ctx, "handler", event, hyperlight.WithGC(gc))
				check(err)
			}
		})
		events := slices.Repeat([][]byte{event}, batch)
		measure("batch", gc, func(calls int) {
			for range calls / batch {
				_, err := loaded.HandleEvents(ctx, "handler", events, hyperlight.WithGC(gc))
				check(err)
			}
		})
	}
}

func measure(what string, gc bool, run func(calls int)) {
	run(warmUp)
	start := time.Now()
	run(calls)
	fmt.Printf("%s gc=%t %d\n", what, gc, time.Since(start).Nanoseconds()/calls)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
