// Cgo runs the workloads of bench/ on the C ABI through cgo, which package hyperlight does without. It is no binding:
// it has no monitors of its own, no contexts, no errors to speak of, and only the workloads that compare the ways
// across the border. It is a module of its own because it must be linked with the library. See ../README.md.
package main

// #include "shim.h"
import "C"

import (
	"fmt"
	"log"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

func main() {
	runtime.LockOSThread() // As the other contestants, it stays on its thread.
	workload.Measure("cold_start", "ns", func() float64 {
		loaded := start(workload.Echo)
		defer loaded.free()
		loaded.call([]byte(workload.Event), true, nil)
		return float64(time.Since(workload.Started()))
	})
	workload.Measure("jsload_1_handler", "ns", func() float64 { return jsload() })
	for _, gc := range []bool{false, true} {
		workload.Measure(fmt.Sprintf("warm_gc_%t", gc), "ns", func() float64 {
			return calls(workload.Echo, []byte(workload.Event), gc, 200, 1000)
		})
	}
	for _, batch := range []int{10, 100, 1000} {
		workload.Measure(fmt.Sprintf("batch_%d", batch), "ns", func() float64 { return batches(batch) })
	}
	for _, gc := range []bool{true, false} {
		for _, count := range []int{1, 2, 5, 10} {
			suffix := map[bool]string{true: "with_gc", false: "without_gc"}[gc]
			workload.Measure(fmt.Sprintf("handle_%d_events_%s", count, suffix), "ns", func() float64 {
				return calls(workload.Redirect, []byte(workload.Request), gc, 20, 100*count) * float64(count)
			})
		}
	}
	for _, size := range workload.Sizes {
		workload.Measure(size.Name, "ns", func() float64 {
			return calls(workload.Echo, workload.EventOf(size.Bytes), false, size.WarmUp, size.Operations)
		})
	}
	monitors()
	workload.Measure("host_json", "ns", func() float64 {
		proto := newProto()
		var failure *C.hljs_error
		check(C.shim_register_add(proto, &failure), failure)
		loaded := startProto(proto, workload.Add)
		defer loaded.free()
		return workload.OneMore(5, 100, func(uses int) { loaded.call(fmt.Appendf(nil, `{"n":%d}`, uses), true, nil) })
	})
	restores()
}

func calls(source string, event []byte, gc bool, warmUp, operations int, monitors ...*C.hljs_monitor) float64 {
	loaded := start(source)
	defer loaded.free()
	return workload.Each(warmUp, operations, func() { loaded.call(event, gc, monitors) })
}

func jsload() float64 {
	sandbox := boot(newProto())
	defer func() { C.hljs_sandbox_free(sandbox) }()
	return workload.Part(2, 10, func() time.Duration {
		begin := time.Now()
		add(sandbox, "function0", workload.Redirect)
		loaded := load(sandbox)
		elapsed := time.Since(begin)
		sandbox = loaded.unload()
		return elapsed
	})
}

func batches(size int) float64 {
	loaded := start(workload.Echo)
	defer loaded.free()
	event := []byte(workload.Event)
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pinned.Pin(&event[0])
	events, lens := make([]*C.uint8_t, size), make([]C.size_t, size)
	for i := range events {
		events[i], lens[i] = pointer(event), C.size_t(len(event))
	}
	name := []byte("handler")
	return workload.Each(max(1, 200/size), 1000/size, func() {
		var batch *C.hljs_batch
		var failure *C.hljs_error
		check(C.hljs_loaded_sandbox_handle_events(loaded.loaded, pointer(name), C.size_t(len(name)), &events[0], &lens[0],
			C.size_t(size), 0, 1, nil, 0, nil, 0, nil, &batch, &failure), failure)
		var results *C.uint8_t
		var length C.size_t
		C.hljs_batch_results(batch, &results, &length, nil, nil, nil, nil)
		if all := C.GoBytes(unsafe.Pointer(results), C.int(length)); len(all) != size*len(event) {
			log.Fatalf("a batch of %d answered %q", size, all)
		}
		C.hljs_batch_free(batch)
	}) / float64(size)
}

func monitors() {
	var wall, cpu *C.hljs_monitor
	var failure *C.hljs_error
	limit := C.uint64_t(workload.Limit)
	check(C.hljs_monitor_new_wall_clock(limit, &wall, &failure), failure)
	check(C.hljs_monitor_new_cpu_time(limit, &cpu, &failure), failure)
	for _, each := range []struct {
		name     string
		monitors []*C.hljs_monitor
	}{
		{"no_monitor", nil},
		{"wall_clock", []*C.hljs_monitor{wall}},
		{"cpu_time", []*C.hljs_monitor{cpu}},
		{"wall_and_cpu", []*C.hljs_monitor{wall, cpu}},
	} {
		workload.Measure("handle_event_"+each.name, "ns", func() float64 {
			return calls(workload.Redirect, []byte(workload.Request), true, 100, 500, each.monitors...)
		})
	}
	C.hljs_monitor_free(wall)
	C.hljs_monitor_free(cpu)
}

func restores() {
	workload.Measure("restore", "ns", func() float64 {
		loaded := start(workload.Echo)
		defer loaded.free()
		taken := loaded.snapshot()
		defer C.hljs_snapshot_free(taken)
		return workload.Part(5, 30, func() time.Duration {
			loaded.call([]byte(workload.Event), true, nil)
			begin := time.Now()
			loaded.restore(taken)
			return time.Since(begin)
		})
	})
	workload.Measure("call_and_restore", "ns", func() float64 {
		loaded := start(workload.Echo)
		defer loaded.free()
		taken := loaded.snapshot()
		defer C.hljs_snapshot_free(taken)
		return workload.Each(5, 100, func() {
			loaded.call([]byte(workload.Event), true, nil)
			loaded.restore(taken)
		})
	})
}

// hostAdd is the host function host.add. args is `[a,b]`.
//
//export hostAdd
func hostAdd(call *C.hljs_host_call, args *C.uint8_t, length C.size_t) {
	text := strings.Trim(string(unsafe.Slice((*byte)(unsafe.Pointer(args)), int(length))), "[]")
	left, right, _ := strings.Cut(text, ",")
	a, err := strconv.ParseFloat(left, 64)
	workload.Check(err)
	b, err := strconv.ParseFloat(right, 64)
	workload.Check(err)
	sum := strconv.AppendFloat(nil, a+b, 'g', -1, 64)
	var failure *C.hljs_error
	check(C.hljs_host_call_return_json(call, pointer(sum), C.size_t(len(sum)), nil, 0, &failure), failure)
}
