// Boundary measures what it costs to go from Go to C and back, without a guest: in this package's way, in purego's and
// in cgo's. See README.md.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// way is a way across. All call the same functions of the library.
type way interface {
	name() string
	// call calls hljs_features so many times, which lends a text, and returns that.
	call(times int) string
	// callback calls hljs_builder_set_print so many times. It calls back each time but the first: it drops the function
	// that was set before.
	callback(times int)
}

// ways make them. With cgo there are more.
var ways = []func(*library) (way, error){newOurs, newSyscallN, newRegisterLibFunc}

func main() {
	rounds := flag.Int("rounds", 5, "how often each is measured; the fastest counts")
	testing.Init() // which brings flags that testing.Benchmark reads
	workload.Check(flag.Set("test.benchtime", "200ms"))
	flag.Parse()
	lib, err := load()
	workload.Check(err)
	for _, create := range ways {
		w, err := create(lib)
		workload.Check(err)
		measure("call_"+w.name(), *rounds, func(times int) { w.call(times) })
		measure("callback_"+w.name(), *rounds, w.callback)
	}
}

// measure prints the nanoseconds and Go's allocations of one time, if the command line names that, or nothing.
func measure(name string, rounds int, run func(times int)) {
	if flag.NArg() > 0 && !slices.Contains(flag.Args(), name) {
		return
	}
	nanoseconds, allocations := math.Inf(1), int64(0)
	for range max(1, rounds) {
		result := testing.Benchmark(func(b *testing.B) { run(b.N) })
		if result.N == 0 {
			fmt.Fprintln(os.Stderr, name, "failed")
			os.Exit(1)
		}
		nanoseconds = min(nanoseconds, float64(result.T.Nanoseconds())/float64(result.N))
		allocations = result.AllocsPerOp()
	}
	fmt.Printf("%s\tns\t%.1f\n", name, nanoseconds)
	fmt.Printf("%s_allocs\tallocs\t%d\n", name, allocations)
}
