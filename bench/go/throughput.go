package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// throughputs are how many calls end in a second, when each of so many sandboxes has one all the time.
func throughputs() {
	for _, sandboxes := range []int{1, 2, 4, 8} {
		workload.Measure(fmt.Sprintf("throughput_%d", sandboxes), "calls/s", func() float64 { return throughput(sandboxes) })
	}
}

func throughput(sandboxes int) float64 {
	const calls = 200
	var all []*hyperlight.LoadedJSSandbox
	for range sandboxes {
		loaded := start(workload.Echo)
		defer loaded.Close()
		all = append(all, loaded)
	}
	event := []byte(workload.Event)
	nanoseconds := workload.Part(1, 1, func() time.Duration {
		begin := time.Now()
		var group sync.WaitGroup
		for _, loaded := range all {
			group.Go(func() {
				for range calls {
					call(loaded, event, hyperlight.WithGC(false))
				}
			})
		}
		group.Wait()
		return time.Since(begin)
	})
	return float64(sandboxes*calls) * 1e9 / nanoseconds
}
