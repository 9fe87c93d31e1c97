package main

import (
	"errors"
	"fmt"
	"sort"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	echo    = "function handler(event) { return event; }"
	repeats = 5 // of what takes millions of instructions
)

// steps is the life of a sandbox with the default sizes.
func steps() {
	start(echo).Close() // What the first one in a process pays is not shown.
	header("step", " instructions, millions")
	var proto *hyperlight.ProtoJSSandbox
	step := func(name string, times int, f func()) { row(name, millions(instructions(times, f))) }
	step("`New`", 1, func() {
		var err error
		proto, err = hyperlight.New()
		check(err)
	})
	var sandbox *hyperlight.JSSandbox
	step("`LoadRuntime`", 1, func() { sandbox = bootProto(proto) })
	var loaded *hyperlight.LoadedJSSandbox
	step("`AddHandler` and `Load`, a handler of one line", 1, func() { loaded = load(sandbox, echo) })
	defer func() { loaded.Close() }()
	event := []byte(`{"a":1}`)
	step("the first call", 1, func() { call(loaded, event) })
	row("a call after others", millions(warm(func() { call(loaded, event) })))
	clean := snapshot(loaded)
	defer clean.Close()
	step("`Snapshot` after a call", repeats, func() {
		call(loaded, event)
		snapshot(loaded).Close()
	})
	restore := func() { check(loaded.Restore(ctx, clean)) }
	restore()
	step("`Restore`", repeats, restore)
	step("`Restore` and a call", repeats, func() {
		restore()
		call(loaded, event)
	})
	step("`Unload`, `AddHandler` and `Load`", repeats, func() {
		unloaded, err := loaded.Unload(ctx)
		check(err)
		loaded = load(unloaded, echo)
	})
}

// sizes is what heap, scratch and buffers cost.
func sizes() {
	header(" heap MiB", " scratch MiB", " buffers KiB", " to the first answer", " snapshot", " restore and call",
		" resident KiB")
	event := []byte(`{"a":1}`)
	for _, size := range []struct{ heapMiB, scratchMiB, buffersKiB int }{
		{4, 1, 16}, {4, 4, 16}, {4, 6, 64}, {4, 16, 16}, {4, 64, 16}, {4, 16, 1024},
		{8, 12, 1024}, {8, 16, 1024}, {16, 16, 1024}, {16, 24, 1024}, {32, 40, 1024}, {64, 72, 1024},
	} {
		boot := func() *hyperlight.LoadedJSSandbox {
			result := start(echo, sizeOptions(size.heapMiB, size.scratchMiB, size.buffersKiB)...)
			call(result, event)
			return result
		}
		boot().Close() // What is taken once is taken by this.
		loaded := boot()
		before := measure()
		var others [2]*hyperlight.LoadedJSSandbox
		next := 0
		toAnswer := instructions(len(others), func() {
			others[next] = boot()
			next++
		})
		resident := measure().since(before, len(others))
		toSnapshot := instructions(1, func() { snapshot(loaded).Close() })
		clean := snapshot(loaded)
		restoreAndCall := instructions(repeats, func() {
			check(loaded.Restore(ctx, clean))
			call(loaded, event)
		})
		row(fmt.Sprint(size.heapMiB), fmt.Sprint(size.scratchMiB), fmt.Sprint(size.buffersKiB),
			millions(toAnswer), millions(toSnapshot), millions(restoreAndCall), resident.resident())
		clean.Close()
		loaded.Close()
		for _, other := range others {
			other.Close()
		}
	}
}

func sizeOptions(heapMiB, scratchMiB, buffersKiB int) []hyperlight.Option {
	return []hyperlight.Option{
		hyperlight.WithHeapSize(heapMiB << 20), hyperlight.WithScratchSize(scratchMiB << 20),
		hyperlight.WithInputBufferSize(buffersKiB << 10), hyperlight.WithOutputBufferSize(buffersKiB << 10),
	}
}

// room is how much a handler can hold. The guest's allocator gives out powers of two, so it matters which.
func room() {
	header(" heap MiB", " scratch MiB", " buffers KiB", " one array", " arrays of 16,000 bytes", " arrays of 17,000 bytes")
	for _, size := range []struct{ heapMiB, scratchMiB, buffersKiB int }{
		{4, 1, 16}, {4, 4, 16}, {4, 6, 16},
		{8, 4, 1024}, {8, 8, 1024}, {8, 10, 1024}, {8, 12, 1024}, {8, 16, 1024},
		{16, 16, 1024}, {16, 20, 1024}, {32, 16, 1024}, {32, 36, 1024},
	} {
		loaded := start(`
			function handler({ arrays, bytes }) {
				const held = [];
				for (let i = 0; i < arrays; i++) held.push(new Uint8Array(bytes).fill(1));
				return held.length;
			}`, sizeOptions(size.heapMiB, size.scratchMiB, size.buffersKiB)...)
		clean := snapshot(loaded)
		holds := func(arrays, bytes int) bool {
			check(loaded.Restore(ctx, clean))
			_, err := loaded.HandleEvent(ctx, "handler", fmt.Appendf(nil, `{"arrays":%d,"bytes":%d}`, arrays, bytes))
			if !errors.Is(err, hyperlight.ErrOutOfMemory) {
				check(err)
			}
			return err == nil
		}
		largest := func(step int, holds func(times int) bool) string {
			times := sort.Search(size.heapMiB<<20/step, func(i int) bool { return !holds(i + 1) })
			return fmt.Sprintf("%.2f", float64(step*times)/(1<<20))
		}
		row(fmt.Sprint(size.heapMiB), fmt.Sprint(size.scratchMiB), fmt.Sprint(size.buffersKiB),
			largest(10<<10, func(times int) bool { return holds(1, times*10<<10) }),
			largest(16_000, func(times int) bool { return holds(times, 16_000) }),
			largest(17_000, func(times int) bool { return holds(times, 17_000) }))
		clean.Close()
		loaded.Close()
	}
}

// sharing is what snapshots cost beside the sandboxes that they are restored into, with the default sizes.
func sharing() {
	header("what", " resident KiB each")
	const sandboxes = 4
	var loaded [sandboxes]*hyperlight.LoadedJSSandbox
	loaded[0] = start(echo)
	before := measure()
	for i := range loaded[1:] {
		loaded[i+1] = start(echo)
	}
	row("a sandbox after boot and load", measure().since(before, sandboxes-1).resident())
	before = measure()
	clean := snapshot(loaded[0])
	row("its snapshot", measure().since(before, 1).resident())
	before = measure()
	for _, each := range loaded {
		check(each.Restore(ctx, clean))
		call(each, []byte(`{"a":1}`))
	}
	row("a sandbox more, once that was restored into it and it was called", measure().since(before, sandboxes).resident())
	before = measure()
	for _, each := range loaded {
		call(each, []byte(`1024`))
	}
	row("the same after another call", measure().since(before, sandboxes).resident())
	before = measure()
	own := make([]*hyperlight.Snapshot, 0, sandboxes)
	for _, each := range loaded {
		own = append(own, snapshot(each))
	}
	row("a snapshot of its own for each", measure().since(before, sandboxes).resident())
	for i, each := range loaded {
		own[i].Close()
		each.Close()
	}
	clean.Close()
}
