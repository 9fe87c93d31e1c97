package main

import "slices"

// place says where a program runs.
type place int

const (
	counted place = iota // in the emulated machine, where one virtual nanosecond is one executed instruction
	machine              // in the emulated machine, with its own time: only figures of one run compare
	host                 // on this machine itself, without guests
)

// contestant is a program that prints lines `workload<TAB>unit<TAB>value`. Its arguments are names of workloads, of
// which it ignores those that it does not have; without any it runs all. BENCH_SCALE multiplies its operations.
type contestant struct {
	name  string
	title string // in tables and plots
	place place
	// builds are commands, run in bench/. $BIN is where programs go; other variables are the environment's. The same
	// goes for program and env.
	builds [][]string
	// program is what runs, $BIN/ and the name if it is nil.
	program []string
	// env is for building and running, beside the environment.
	env []string
	// folder, below bench/, is the program's working directory, which goes into the machine too; "" is an empty one.
	folder string
	// aside has it run for the full results alone: it has a table of its own, and is not what this package is
	// measured by.
	aside bool
}

// asElsewhere has a Go program see more than one processor, as it does nearly everywhere, though the machine has one: with
// one, Go's runtime takes it away from every native call that lasts longer than some 20 us, and gives it back. The programs
// lock their goroutine to its thread, as Rust's and C's stay on theirs. ../README.md says what it costs not to.
const asElsewhere = "GOMAXPROCS=2"

// contestants are all there are. The slow ones come first: two machines run at a time.
var contestants = []contestant{
	{
		name: "go", title: "Go", env: []string{"CGO_ENABLED=0", asElsewhere},
		builds: [][]string{{"go", "build", "-buildvcs=false", "-o", "$BIN/go", "./go"}},
	},
	{
		name: "rust", title: "Rust",
		builds: [][]string{
			{"cargo", "build", "--quiet", "--locked", "--release", "-p", "bench-rust"},
			{"cp", "$CARGO_TARGET_DIR/release/bench-rust", "$BIN/rust"},
		},
	},
	{
		name: "cgo", title: "cgo",
		env:    []string{"CGO_ENABLED=1", asElsewhere, "CGO_LDFLAGS=$HYPERLIGHT_JS_LIBRARY -Wl,-rpath,$HYPERLIGHT_JS_LIBRARY_FOLDER"},
		builds: [][]string{{"go", "-C", "cgo", "build", "-buildvcs=false", "-o", "$BIN/cgo", "."}},
	},
	{
		name: "c", title: "C",
		builds: [][]string{{
			"cc", "-std=c11", "-D_DEFAULT_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-o", "$BIN/c",
			"c/main.c", "$HYPERLIGHT_JS_LIBRARY", "-Wl,-rpath,$HYPERLIGHT_JS_LIBRARY_FOLDER",
		}},
	},
	{
		name: "node", title: "Node.js", aside: true,
		builds: [][]string{npmInstall("node")},
		folder: "node", program: []string{"node", "bench.mjs"},
	},
	{
		name: "quickjs", title: "QuickJS on wazero", aside: true, env: []string{"CGO_ENABLED=0"},
		builds: [][]string{npmInstall("others/quickjs"), {"go", "-C", "others", "build", "-buildvcs=false", "-o", "$BIN/quickjs", "./quickjs"}},
		folder: "others/quickjs",
	},
	{
		name: "goja", title: "goja", aside: true, env: []string{"CGO_ENABLED=0"},
		builds: [][]string{{"go", "-C", "others", "build", "-buildvcs=false", "-o", "$BIN/goja", "./goja"}},
	},
	{
		name: "server", title: "HTTP server", aside: true, env: []string{"CGO_ENABLED=0"},
		builds:  [][]string{{"go", "-C", "server", "build", "-buildvcs=false", "-o", "$BIN/server", "."}},
		program: []string{"$BIN/server", "-clients", "1,4,16,64", "-pools", "1,2,4,8", "-duration", "200ms", "-renew-clients", "4"},
	},
	{
		name: "boundary", title: "boundary", place: host, aside: true, env: []string{"CGO_ENABLED=1"},
		builds: [][]string{{"go", "-C", "boundary", "build", "-buildvcs=false", "-o", "$BIN/boundary", "."}},
	},
}

func npmInstall(folder string) []string {
	return []string{"npm", "--prefix", folder, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"}
}

// quick are the workloads of the quick results: those behind the targets, and one of each other kind.
var quick = []string{
	"cold_start", "warm_gc_false", "warm_gc_true", "allocs_per_call", "batch_10", "batch_100", "batch_1000",
	"event_1kb", "event_100kb", "handle_event_wall_clock", "deadline", "host_json", "host_bytes_1kb",
	"jsload_1_handler", "add_load_call_40kb", "restore", "call_and_restore", "pool", "snapshot_file",
	"snapshot_file_verified",
}

// chosen are those that a run takes: the names, or all that belong to the size.
func chosen(size string, names []string) []contestant {
	return slices.DeleteFunc(slices.Clone(contestants), func(c contestant) bool {
		if len(names) > 0 {
			return !slices.Contains(names, c.name)
		}
		return c.aside && size != sizeFull
	})
}
