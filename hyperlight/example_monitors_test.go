package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	endless = `function handler() { while (true) {} }`
	hello   = `function handler() { return "hello"; }`
)

func ExampleWithMonitors() {
	loaded := newLoaded(endless)
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`), hyperlight.WithMonitors(
		hyperlight.WallClock(time.Minute), hyperlight.CPUTime(50*time.Millisecond)))
	var failure *hyperlight.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Message)
		fmt.Println(failure.Monitor, errors.Is(err, hyperlight.ErrCancelled), loaded.Status())
	}
	// Output:
	// Execution was cancelled by the host.
	// cpu-time true poisoned
}

func ExampleWallClock() {
	loaded := newLoaded(endless)
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`),
		hyperlight.WithMonitors(hyperlight.WallClock(50*time.Millisecond)))
	fmt.Println(err)
	// Output: hyperlight: HandleEvent: Execution was cancelled by the host. (by wall-clock)
}

func ExampleCPUTime() {
	loaded := newLoaded(hello)
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`),
		hyperlight.WithMonitors(hyperlight.CPUTime(time.Minute)))
	fmt.Println(string(result), err)
	// Output: "hello" <nil>
}

func ExampleNewTrigger() {
	shutdown, err := hyperlight.NewTrigger("shutdown")
	if err != nil {
		log.Fatal(err)
	}
	loaded := newLoaded(endless)
	defer loaded.Close()
	time.AfterFunc(50*time.Millisecond, shutdown.Fire)
	_, err = loaded.HandleEvent(context.Background(), "greet", []byte(`{}`), hyperlight.WithMonitors(shutdown))
	fmt.Println(err)
	// Output: hyperlight: HandleEvent: Execution was cancelled by the host. (by shutdown)
}

// A call that comes too late does not run, and costs nothing.
func ExampleTrigger_Reset() {
	pause, err := hyperlight.NewTrigger("pause")
	if err != nil {
		log.Fatal(err)
	}
	loaded := newLoaded(hello)
	defer loaded.Close()
	pause.Fire()
	_, err = loaded.HandleEvent(context.Background(), "greet", []byte(`{}`), hyperlight.WithMonitors(pause))
	fmt.Println(errors.Is(err, hyperlight.ErrCancelled), loaded.Status())
	pause.Reset()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`), hyperlight.WithMonitors(pause))
	fmt.Println(string(result), err)
	// Output:
	// true ready
	// "hello" <nil>
}

func ExampleLoadedJSSandbox_InterruptHandle() {
	loaded := newLoaded(endless)
	defer loaded.Close()
	handle, err := loaded.InterruptHandle()
	if err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { handle.Kill() })
	_, err = loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	fmt.Println(err)
	fmt.Println(handle.Kill(), handle.Dropped())
	// Output:
	// hyperlight: HandleEvent: Execution was cancelled by the host. (by interrupt)
	// false false
}

func ExampleWithStats() {
	loaded := newLoaded(hello)
	defer loaded.Close()
	var stats hyperlight.ExecutionStats
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`), hyperlight.WithStats(&stats))
	fmt.Println(stats.WallClock > 0, stats.CPUTime > 0, stats.TerminatedBy == "", err)
	// Output: true true true <nil>
}

func ExampleLoadedJSSandbox_LastCallStats() {
	loaded := newLoaded(hello)
	defer loaded.Close()
	_, ok := loaded.LastCallStats()
	fmt.Println(ok)
	if _, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`)); err != nil {
		log.Fatal(err)
	}
	stats, ok := loaded.LastCallStats()
	fmt.Println(ok, stats.WallClock > 0)
	// Output:
	// false
	// true true
}
