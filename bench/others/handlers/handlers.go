// Package handlers measures JavaScript engines that are no micro-VM, on the workloads of bench/.
package handlers

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// Engine makes guests.
type Engine interface {
	// Start loads a script that defines a function handler into a new guest. The script finds the functions of
	// the host in the global object "host".
	Start(script string, functions Functions) (Guest, error)
	// CollectsGarbage says whether a guest has a collector of its own, which can be told to run.
	CollectsGarbage() bool
}

// Functions are those of the host, by name.
type Functions map[string]func(a, b float64) float64

// Guest is a script that waits for events.
type Guest interface {
	// Handle calls the handler with an event, and returns its result, both as JSON. With gc, the guest
	// collects garbage afterwards.
	Handle(event []byte, gc bool) ([]byte, error)
	// Restore takes back what the handler changed since Start.
	Restore() error
	Close() error
}

// Call is what an engine runs for an event: it turns text into text, as the guest of Hyperlight does.
const Call = `(text) => JSON.stringify(handler(JSON.parse(text)))`

// add is workload.Add for engines without modules.
const add = `
function handler(event) {
    let sum = 0;
    for (let i = 0; i < event.n; i++) sum = host.add(sum, i);
    return sum;
}`

// Measure runs the workloads.
func Measure(engine Engine) {
	m := measurer{engine}
	m.lifecycle()
	m.events()
}

type measurer struct{ Engine }

func (m measurer) lifecycle() {
	workload.Measure("cold_start", "ns", func() float64 {
		guest := m.start(workload.Echo, nil)
		call(guest, workload.Event, false)
		elapsed := float64(time.Since(workload.Started()))
		workload.Check(guest.Close())
		return elapsed
	})
	workload.Measure("memory_per_sandbox", "KiB", m.memory)
	workload.Measure("jsload_1_handler", "ns", func() float64 {
		return workload.Each(2, 10, func() { workload.Check(m.start(workload.Redirect, nil).Close()) })
	})
}

func (m measurer) events() {
	collections := []bool{false}
	if m.CollectsGarbage() {
		collections = append(collections, true)
	}
	for _, gc := range collections {
		workload.Measure(fmt.Sprintf("warm_gc_%t", gc), "ns", func() float64 {
			return m.calls(workload.Event, 200, 1000, gc)
		})
	}
	for _, size := range workload.Sizes {
		workload.Measure(size.Name, "ns", func() float64 {
			return m.calls(string(workload.EventOf(size.Bytes)), size.WarmUp, size.Operations, false)
		})
	}
	workload.Measure("host_json", "ns", func() float64 {
		guest := m.start(add, Functions{"add": func(a, b float64) float64 { return a + b }})
		defer guest.Close()
		return workload.OneMore(5, 100, func(uses int) { call(guest, fmt.Sprintf(`{"n":%d}`, uses), false) })
	})
	workload.Measure("call_and_restore", "ns", func() float64 {
		guest := m.start(workload.Echo, nil)
		defer guest.Close()
		return workload.Each(5, 100, func() {
			call(guest, workload.Event, false)
			workload.Check(guest.Restore())
		})
	})
}

func (m measurer) calls(event string, warmUp, operations int, gc bool) float64 {
	guest := m.start(workload.Echo, nil)
	defer guest.Close()
	return workload.Each(warmUp, operations, func() { call(guest, event, gc) })
}

func (m measurer) memory() float64 {
	const guests = 16
	all := []Guest{m.start(workload.Echo, nil)}
	before := resident()
	for range guests {
		guest := m.start(workload.Echo, nil)
		call(guest, workload.Event, false)
		all = append(all, guest)
	}
	after := resident()
	for _, guest := range all {
		workload.Check(guest.Close())
	}
	return float64(after-before) / guests
}

func (m measurer) start(script string, functions Functions) Guest {
	guest, err := m.Start(script, functions)
	workload.Check(err)
	return guest
}

func call(guest Guest, event string, gc bool) {
	_, err := guest.Handle([]byte(event), gc)
	workload.Check(err)
}

var residentLine = regexp.MustCompile(`(?m)^VmRSS:\s*(\d+) kB$`)

// resident is the process's resident memory, in KiB.
func resident() int {
	status, err := os.ReadFile("/proc/self/status")
	workload.Check(err)
	found := residentLine.FindSubmatch(status)
	if found == nil {
		workload.Check(fmt.Errorf("/proc/self/status has no line VmRSS"))
	}
	kib, err := strconv.Atoi(string(found[1]))
	workload.Check(err)
	return kib
}
