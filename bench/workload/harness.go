// Package workload is what the Go programs of bench/ share: how workloads are timed, chosen and printed, and their
// handlers and events. The Rust and C programs have the same in their languages; whoever changes one, changes all.
package workload

import (
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"time"
)

var started = time.Now()

// Started is when the program began.
func Started() time.Time { return started }

// Measure runs a workload if the command line names it, or nothing, and prints the value of one operation.
func Measure(name, unit string, workload func() float64) {
	wanted := os.Args[1:]
	if len(wanted) > 0 && !slices.Contains(wanted, name) {
		return
	}
	fmt.Printf("%s\t%s\t%.1f\n", name, unit, workload())
}

// Each is the mean time of an operation, in nanoseconds.
func Each(warmUp, operations int, operation func()) float64 {
	for range warmUp {
		operation()
	}
	operations *= scale
	start := time.Now()
	for range operations {
		operation()
	}
	return float64(time.Since(start)) / float64(operations)
}

// Part is the mean time of what counts of an operation, which says itself how long that took.
func Part(warmUp, operations int, operation func() time.Duration) float64 {
	for range warmUp {
		operation()
	}
	operations *= scale
	var total time.Duration
	for range operations {
		total += operation()
	}
	return float64(total) / float64(operations)
}

// OneMore is what a call with 1 + more uses costs more than one with a single use, for each.
func OneMore(operations, more int, call func(uses int)) float64 {
	one := Each(2, operations, func() { call(1) })
	many := Each(2, operations, func() { call(1 + more) })
	return (many - one) / float64(more)
}

// Check ends the program if there is an error.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// BENCH_SCALE multiplies the operations.
var scale = func() int {
	if number, err := strconv.Atoi(os.Getenv("BENCH_SCALE")); err == nil && number > 0 {
		return number
	}
	return 1
}()
