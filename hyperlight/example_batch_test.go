package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// half does not take odd numbers.
const half = `
	function handler(event) {
		if (event % 2) throw new RangeError(event + " is odd");
		return event / 2;
	}`

func ExampleLoadedJSSandbox_HandleEvents() {
	loaded := newLoaded(half)
	defer loaded.Close()
	events := [][]byte{[]byte(`2`), []byte(`3`), []byte(`8`)}
	results, err := loaded.HandleEvents(context.Background(), "greet", events)
	for _, result := range results {
		var thrown *hyperlight.JSException
		if errors.As(result.Err, &thrown) {
			fmt.Println(thrown.Message)
			continue
		}
		fmt.Println(string(result.Result))
	}
	fmt.Println(err)
	// Output:
	// 1
	// 3 is odd
	// 4
	// <nil>
}

func ExampleStopOnError() {
	loaded := newLoaded(half)
	defer loaded.Close()
	events := [][]byte{[]byte(`2`), []byte(`3`), []byte(`8`)}
	results, err := loaded.HandleEvents(context.Background(), "greet", events, hyperlight.StopOnError())
	fmt.Println(len(results), err == results[1].Err, loaded.Status())
	// Output: 2 true ready
}

// Each event has 10 seconds, and all together have half a second.
func ExampleWithBatchMonitors() {
	loaded := newLoaded(`function handler(event) { while (event === "for ever") {} return event; }`)
	defer loaded.Close()
	events := [][]byte{[]byte(`"quick"`), []byte(`"for ever"`), []byte(`"quick"`)}
	results, err := loaded.HandleEvents(context.Background(), "greet", events,
		hyperlight.WithMonitors(hyperlight.WallClock(10*time.Second)),
		hyperlight.WithBatchMonitors(hyperlight.WallClock(500*time.Millisecond)))
	fmt.Println(len(results), err)
	// Output: 2 hyperlight: HandleEvents: Execution was cancelled by the host. (by wall-clock)
}
