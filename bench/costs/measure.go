package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// instructions is what f executes, on average of so many times. In the emulated machine one virtual nanosecond is
// one instruction; elsewhere these are nanoseconds.
func instructions(times int, f func()) int64 {
	start := time.Now()
	for range times {
		f()
	}
	return time.Since(start).Nanoseconds() / int64(times)
}

// millions prints instructions.
func millions(instructions int64) string { return fmt.Sprintf("%.2f", float64(instructions)/1e6) }

// thousands prints instructions.
func thousands(instructions int64) string { return fmt.Sprintf("%.0f", float64(instructions)/1e3) }

// footprint is what the process has of the system's.
type footprint struct{ residentKiB, threads, files, mappings int }

func measure() footprint {
	debug.FreeOSMemory() // Go's own garbage is not what is measured.
	return footprint{
		residentKiB: workload.ProcessStatus("VmRSS:"),
		threads:     workload.ProcessStatus("Threads:"),
		files:       count("/proc/self/fd"),
		mappings:    lines("/proc/self/maps"),
	}
}

// since is what has come to one of so many things.
func (f footprint) since(before footprint, things int) footprint {
	return footprint{
		residentKiB: (f.residentKiB - before.residentKiB) / things,
		threads:     (f.threads - before.threads) / things,
		files:       (f.files - before.files) / things,
		mappings:    (f.mappings - before.mappings) / things,
	}
}

func (f footprint) resident() string { return strconv.Itoa(f.residentKiB) }

func count(folder string) int {
	entries, err := os.ReadDir(folder)
	check(err)
	return len(entries)
}

func lines(file string) int {
	text, err := os.ReadFile(file)
	check(err)
	return bytes.Count(text, []byte("\n"))
}
