package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	warmUp = 100
	calls  = 500
)

// warm is what a call costs after others like it.
func warm(f func()) int64 { return warmAfter(warmUp, calls, f) }

func warmAfter(before, times int, f func()) int64 {
	instructions(before, f)
	return instructions(times, f)
}

// limits is what it costs to watch a call that does next to nothing.
func limits() {
	loaded := start(echo)
	defer loaded.Close()
	event := []byte(`{"a":1}`)
	plain := func(opts ...hyperlight.CallOption) func() {
		return func() { call(loaded, event, opts...) }
	}
	wall, cpu := hyperlight.WallClock(time.Minute), hyperlight.CPUTime(time.Minute)
	trigger, err := hyperlight.NewTrigger("costs")
	check(err)
	cancellable, cancel := context.WithCancel(ctx)
	defer cancel()
	var stats hyperlight.ExecutionStats
	header("call", " instructions, thousands", " more")
	base := int64(0)
	for _, way := range []struct {
		name string
		call func()
	}{
		{"`context.Background()`, no limits", plain()},
		{"a context that can be cancelled", func() {
			_, err := loaded.HandleEvent(cancellable, "handler", event)
			check(err)
		}},
		{"a context with a deadline, made for the call", func() {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			_, err := loaded.HandleEvent(ctx, "handler", event)
			check(err)
		}},
		{"`WallClock`", plain(hyperlight.WithMonitors(wall))},
		{"`CPUTime`", plain(hyperlight.WithMonitors(cpu))},
		{"`WallClock` and `CPUTime`", plain(hyperlight.WithMonitors(wall, cpu))},
		{"`Trigger`", plain(hyperlight.WithMonitors(trigger))},
		{"all three", plain(hyperlight.WithMonitors(wall, cpu, trigger))},
		{"`WithStats`", plain(hyperlight.WithStats(&stats))},
		{"`WithGC(false)`", plain(hyperlight.WithGC(false))},
	} {
		cost := warm(way.call)
		if base == 0 {
			base = cost
		}
		row(way.name, thousands(cost), thousands(cost-base))
	}
}

// events is what size and crossings cost.
func events() {
	header("call", " instructions, thousands")
	loaded := start(echo)
	defer loaded.Close()
	for _, size := range []int{10, 1000, 10_000, 100_000, 1_000_000} {
		event := []byte(strconv.Quote(strings.Repeat("x", size-2)))
		times := max(2, min(calls, 1_000_000/size))
		row(fmt.Sprintf("an event of %d bytes, returned", size),
			thousands(warmAfter(times, times, func() { call(loaded, event) })))
	}
	proto, err := hyperlight.New(hyperlight.WithPrint(io.Discard))
	check(err)
	check(proto.Register("host", "nothing", func() {}))
	crossing := load(bootProto(proto), `
		import * as host from "host";
		function handler({ calls, lines }) {
			for (let i = 0; i < calls; i++) host.nothing();
			for (let i = 0; i < lines; i++) console.log("a line");
			return null;
		}`)
	defer crossing.Close()
	count := func(event string) int64 {
		return warmAfter(repeats, repeats, func() { call(crossing, []byte(event)) })
	}
	none := count(`{"calls":0,"lines":0}`)
	row("a host function that does nothing, each call", thousands((count(`{"calls":100,"lines":0}`)-none)/100))
	row("a line printed", thousands((count(`{"calls":0,"lines":100}`)-none)/100))
}
