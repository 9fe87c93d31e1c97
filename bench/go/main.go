// The warm call of bench/, on the Go API. See ../README.md.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	warmUp = 200
	calls  = 1000
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
		run := func(calls int) {
			for range calls {
				_, err := loaded.HandleEvent(ctx, "handler", event, hyperlight.WithGC(gc))
				check(err)
			}
		}
		run(warmUp)
		start := time.Now()
		run(calls)
		fmt.Printf("go gc=%t %d\n", gc, time.Since(start).Nanoseconds()/calls)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
