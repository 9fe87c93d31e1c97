package main

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// events are calls: warm ones, upstream's series, batches, sizes, monitors.
func events() {
	for _, gc := range []bool{false, true} {
		workload.Measure(fmt.Sprintf("warm_gc_%t", gc), "ns", func() float64 {
			return calls(workload.Echo, workload.Event, 200, 1000, hyperlight.WithGC(gc))
		})
	}
	workload.Measure("allocs_per_call", "allocs", allocations)
	for _, batch := range []int{10, 100, 1000} {
		workload.Measure(fmt.Sprintf("batch_%d", batch), "ns", func() float64 { return batches(batch) })
	}
	for _, gc := range []bool{true, false} {
		suffix := map[bool]string{true: "with_gc", false: "without_gc"}[gc]
		for _, count := range []int{1, 2, 5, 10} {
			workload.Measure(fmt.Sprintf("handle_%d_events_%s", count, suffix), "ns", func() float64 {
				return series(count, gc)
			})
			workload.Measure(fmt.Sprintf("handle_%d_events_with_restore_%s", count, suffix), "ns", func() float64 {
				return seriesWithRestore(count, gc)
			})
		}
	}
	for _, size := range workload.Sizes {
		workload.Measure(size.Name, "ns", func() float64 {
			event := string(workload.EventOf(size.Bytes))
			return calls(workload.Echo, event, size.WarmUp, size.Operations, hyperlight.WithGC(false))
		})
	}
	monitors()
}

func calls(source, event string, warmUp, operations int, opts ...hyperlight.CallOption) float64 {
	loaded := start(source)
	defer loaded.Close()
	bytes := []byte(event)
	return workload.Each(warmUp, operations, func() { call(loaded, bytes, opts...) })
}

// allocations are those of Go, without that of the result.
func allocations() float64 {
	loaded := start(workload.Echo)
	defer loaded.Close()
	event := []byte(workload.Event)
	return testing.AllocsPerRun(1000, func() { call(loaded, event) }) - 1
}

// batches is the time of one event. Beside it stands Rust's warm call without gc.
func batches(batch int) float64 {
	loaded := start(workload.Echo)
	defer loaded.Close()
	all := slices.Repeat([][]byte{[]byte(workload.Event)}, batch)
	return workload.Each(max(1, 200/batch), 1000/batch, func() {
		results, err := loaded.HandleEvents(ctx, "handler", all, hyperlight.WithGC(false))
		check(err)
		check(results[len(results)-1].Err)
	}) / float64(batch)
}

func series(count int, gc bool) float64 {
	loaded := start(workload.Redirect)
	defer loaded.Close()
	event := []byte(workload.Request)
	return workload.Each(20, 100, func() {
		for range count {
			call(loaded, event, hyperlight.WithGC(gc))
		}
	})
}

func seriesWithRestore(count int, gc bool) float64 {
	loaded := start(workload.Redirect)
	defer loaded.Close()
	event := []byte(workload.Request)
	taken := snapshot(loaded)
	defer taken.Close()
	return workload.Each(3, 15, func() {
		for range count {
			call(loaded, event, hyperlight.WithGC(gc))
			check(loaded.Restore(ctx, taken))
		}
	})
}

func monitors() {
	wall, cpu := hyperlight.WallClock(workload.Limit), hyperlight.CPUTime(workload.Limit)
	for _, each := range []struct {
		name     string
		monitors []hyperlight.Monitor
	}{
		{"handle_event_no_monitor", nil},
		{"handle_event_wall_clock", []hyperlight.Monitor{wall}},
		{"handle_event_cpu_time", []hyperlight.Monitor{cpu}},
		{"handle_event_wall_and_cpu", []hyperlight.Monitor{wall, cpu}},
	} {
		workload.Measure(each.name, "ns", func() float64 {
			return calls(workload.Redirect, workload.Request, 100, 500, hyperlight.WithMonitors(each.monitors...))
		})
	}
	workload.Measure("deadline", "ns", func() float64 {
		loaded := start(workload.Redirect)
		defer loaded.Close()
		event := []byte(workload.Request)
		return workload.Each(100, 500, func() {
			limited, cancel := context.WithTimeout(ctx, workload.Limit)
			_, err := loaded.HandleEvent(limited, "handler", event)
			cancel()
			check(err)
		})
	})
}
