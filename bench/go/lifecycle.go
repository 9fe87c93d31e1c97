package main

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// lifecycle is from nothing to an answer: cold start, loading, unloading, memory.
func lifecycle() {
	workload.Measure("cold_start", "ns", func() float64 {
		loaded := start(workload.Echo)
		call(loaded, []byte(workload.Event))
		elapsed := time.Since(workload.Started())
		check(loaded.Close())
		return float64(elapsed)
	})
	workload.Measure("memory_per_sandbox", "KiB", memory)
	for _, handlers := range []int{1, 2, 5, 10} {
		plural := "s"
		if handlers == 1 {
			plural = ""
		}
		workload.Measure(fmt.Sprintf("jsload_%d_handler%s", handlers, plural), "ns", func() float64 {
			return jsload(handlers, false)
		})
		workload.Measure(fmt.Sprintf("jsload_%d_handler%s_with_snapshot", handlers, plural), "ns", func() float64 {
			return jsload(handlers, true)
		})
	}
	workload.Measure("build_and_load_runtime", "ns", func() float64 {
		return workload.Each(1, 4, func() { check(boot(newProto()).Close()) })
	})
	workload.Measure("add_load_handle_unload", "ns", func() float64 {
		sandbox := boot(newProto())
		defer func() { check(sandbox.Close()) }()
		return workload.Each(3, 20, func() {
			check(sandbox.AddHandler("handler", hyperlight.Script(workload.Redirect)))
			loaded := load(sandbox)
			call(loaded, []byte(workload.Request))
			sandbox = unload(loaded)
		})
	})
	workload.Measure("add_load_call_40kb", "ns", func() float64 {
		sandbox := boot(newProto())
		defer func() { check(sandbox.Close()) }()
		script := hyperlight.Script(workload.Library())
		// What snapshot_file is compared with: unloading is not counted.
		return workload.Part(1, 5, func() time.Duration {
			begin := time.Now()
			check(sandbox.AddHandler("handler", script))
			loaded := load(sandbox)
			call(loaded, []byte(workload.Event))
			elapsed := time.Since(begin)
			sandbox = unload(loaded)
			return elapsed
		})
	})
}

func memory() float64 {
	const sandboxes = 4
	startOne := func() *hyperlight.LoadedJSSandbox {
		loaded := start(workload.Echo)
		call(loaded, []byte(workload.Event))
		return loaded
	}
	all := []*hyperlight.LoadedJSSandbox{startOne()}
	before := resident()
	for range sandboxes {
		all = append(all, startOne())
	}
	after := resident()
	for _, loaded := range all {
		check(loaded.Close())
	}
	return float64(after-before) / sandboxes
}

func jsload(handlers int, withSnapshot bool) float64 {
	sandbox := boot(newProto())
	defer func() { check(sandbox.Close()) }()
	script := hyperlight.Script(workload.Redirect)
	return workload.Part(2, 10, func() time.Duration {
		begin := time.Now()
		for i := range handlers {
			check(sandbox.AddHandler("function"+strconv.Itoa(i), script))
		}
		loaded := load(sandbox)
		if withSnapshot {
			check(snapshot(loaded).Close())
		}
		elapsed := time.Since(begin)
		sandbox = unload(loaded)
		return elapsed
	})
}

// resident is the process's resident memory, in KiB. Go's own garbage is not what is measured.
func resident() int {
	debug.FreeOSMemory()
	return workload.ProcessStatus("VmRSS:")
}
