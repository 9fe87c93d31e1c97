package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// comparison is a table of what contestants take for the same workloads. Rows that nobody has figures of are left out,
// and columns, too.
type comparison struct {
	name        string // of the file
	title       string
	contestants []string // in this order
	baseline    string   // what ratios are to; "" has none
	workloads   []row    // nil: all that these contestants have, by name
}

// row is a workload and what it is. of names the baseline's workload, if that is another one.
type row struct{ workload, what, of string }

var own = []string{"rust", "c", "cgo", "go"}

// comparisons are all tables. The first is the one that README.md shows.
var comparisons = []comparison{
	{name: "main", title: "Go, cgo, C and Rust", contestants: own, baseline: "rust", workloads: []row{
		{"warm_gc_false", "warm call", ""},
		{"warm_gc_true", "warm call, the guest collects garbage", ""},
		{"batch_100", "event in a batch of 100", "warm_gc_false"},
		{"event_1kb", "event and result of 1 kB", ""},
		{"event_100kb", "event and result of 100 kB", ""},
		{"event_1mb", "event and result of 1 MB", ""},
		{"handle_event_wall_clock", "call with a wall-clock monitor", ""},
		{"deadline", "call with a limit of its own: in Go, a context", ""},
		{"host_json", "host function, JSON", ""},
		{"host_bytes_1kb", "host function, 1 kB there and back", ""},
		{"host_bytes_1mb", "host function, 1 MB there and back", ""},
		{"print", "print 100 characters", ""},
		{"cold_start", "from the program's start to the first answer", ""},
		{"call_and_restore", "call and restore", ""},
		{"pool", "call of a pool that restores", "call_and_restore"},
		{"snapshot_file", "snapshot file, restore, call", ""},
	}},
	{name: "upstream", title: "Upstream's benchmarks", contestants: own, baseline: "rust", workloads: upstreams()},
	{name: "more", title: "More", contestants: own, baseline: "rust", workloads: []row{
		{"batch_10", "event in a batch of 10", "warm_gc_false"},
		{"batch_1000", "event in a batch of 1,000", "warm_gc_false"},
		{"event_100b", "event and result of 100 B", ""},
		{"event_10kb", "event and result of 10 kB", ""},
		{"add_load_call_40kb", "add, load and call 40 kB of JavaScript", ""},
		{"snapshot", "snapshot after a call", ""},
		{"restore", "restore after a call", ""},
		{"snapshot_save", "save a snapshot", ""},
		{"snapshot_load_verified", "load a snapshot, verified", ""},
		{"snapshot_load_unverified", "load a snapshot, unverified", ""},
		{"snapshot_file_verified", "snapshot file, verified, restore, call", ""},
		{"memory_per_sandbox", "memory of a sandbox", ""},
		{"threads_per_100_calls", "threads of 100 calls at a time", ""},
		{"allocs_per_call", "allocations of a warm call, besides the result", ""},
	}},
	{name: "node", title: "The Node.js binding", contestants: []string{"rust", "go", "node"}, baseline: "rust", workloads: []row{
		{"warm_gc_false", "warm call", ""},
		{"warm_gc_true", "warm call, the guest collects garbage", ""},
		{"throughput_1", "calls, one at a time", ""},
		{"throughput_4", "calls, four at a time", ""},
		{"event_1kb", "event and result of 1 kB", ""},
		{"event_100kb", "event and result of 100 kB", ""},
		{"event_1mb", "event and result of 1 MB", ""},
		{"handle_event_no_monitor", "upstream's handler", ""},
		{"handle_event_wall_clock", "the same with a wall-clock monitor", ""},
		{"handle_event_wall_and_cpu", "the same with both monitors", ""},
		{"host_json", "host function, JSON", ""},
		{"host_bytes_1kb", "host function, 1 kB there and back", ""},
		{"host_bytes_1mb", "host function, 1 MB there and back", ""},
		{"print", "print 100 characters", ""},
		{"cold_start", "from the program's start to the first answer", ""},
		{"call_and_restore", "call and restore", ""},
		{"memory_per_sandbox", "memory of a sandbox", ""},
		{"warm_gc_false_waiting", "warm call, on whichever thread is free", ""},
	}},
	{name: "isolation", title: "Different isolation", contestants: []string{"go", "quickjs", "goja"}, workloads: []row{
		{"warm_gc_false", "warm call", ""},
		{"warm_gc_true", "warm call, the guest collects garbage", ""},
		{"event_1kb", "event and result of 1 kB", ""},
		{"event_100kb", "event and result of 100 kB", ""},
		{"event_1mb", "event and result of 1 MB", ""},
		{"host_json", "host function", ""},
		{"jsload_1_handler", "load a handler", ""},
		{"call_and_restore", "call, and forget what it changed", ""},
		{"cold_start", "from the program's start to the first answer", ""},
		{"memory_per_sandbox", "memory of a guest", ""},
	}},
	{name: "ways", title: "Ways to run JavaScript", contestants: []string{"rust", "go", "node", "quickjs", "goja"}, workloads: []row{
		{"warm_gc_false", "warm call", ""},
		{"event_1kb", "event and result of 1 kB", ""},
		{"event_100kb", "event and result of 100 kB", ""},
		{"host_json", "host function", ""},
		{"call_and_restore", "call, and forget what it changed", ""},
		{"cold_start", "from the program's start to the first answer", ""},
		{"memory_per_sandbox", "memory of a guest", ""},
	}},
}

// upstreams are the workloads of upstream's own benchmarks, under the names that they have there.
func upstreams() []row {
	var names []string
	for _, handlers := range []string{"1_handler", "2_handlers", "5_handlers", "10_handlers"} {
		names = append(names, "jsload_"+handlers, "jsload_"+handlers+"_with_snapshot")
	}
	for _, what := range []string{"", "_with_restore"} {
		for _, gc := range []string{"with_gc", "without_gc"} {
			for _, events := range []int{1, 2, 5, 10} {
				names = append(names, fmt.Sprintf("handle_%d_events%s_%s", events, what, gc))
			}
		}
	}
	names = append(names, "build_and_load_runtime", "add_load_handle_unload", "handle_event_no_monitor",
		"handle_event_wall_clock", "handle_event_cpu_time", "handle_event_wall_and_cpu")
	rows := make([]row, len(names))
	for i, name := range names {
		rows[i] = row{name, "`" + name + "`", ""}
	}
	return rows
}

// present are the contestants of a table that have figures.
func (c comparison) present(r *results) []string {
	return slices.DeleteFunc(slices.Clone(c.contestants), func(name string) bool { return len(r.Figures[name]) == 0 })
}

// rows are the table's, or all workloads of its contestants.
func (c comparison) rows(r *results) []row {
	if c.workloads != nil {
		return c.workloads
	}
	names := map[string]bool{}
	for _, contestant := range c.contestants {
		for workload := range r.Figures[contestant] {
			names[workload] = true
		}
	}
	var all []row
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, row{name, "`" + name + "`", ""})
	}
	return all
}

// to is the baseline's figure for a row.
func (c comparison) to(each row) key {
	if each.of != "" {
		return key{c.baseline, each.of}
	}
	return key{c.baseline, each.workload}
}

// table is the comparison as Markdown, or "" if there is no figure for it.
func (c comparison) table(r *results) string {
	present := c.present(r)
	head := []string{"", "unit"}
	for _, name := range present {
		head = append(head, " "+titleOf(name))
	}
	for _, name := range present {
		if c.baseline != "" && name != c.baseline {
			head = append(head, fmt.Sprintf(" %s / %s", titleOf(name), titleOf(c.baseline)))
		}
	}
	rows := [][]string{head}
	for _, each := range c.rows(r) {
		unit, cells, ratios := "", []string{}, []string{}
		for _, name := range present {
			f, ok := r.of(name, each.workload)
			cell := ""
			if ok {
				unit, cell = f.Unit, number(f)
			} else if name == c.baseline && each.of != "" {
				if f, ok := r.of(name, each.of); ok {
					cell = number(f)
				}
			}
			cells = append(cells, cell)
			if c.baseline != "" && name != c.baseline {
				text := ""
				if ratio, ok := r.ratio(key{name, each.workload}, c.to(each)); ok {
					text = fmt.Sprintf("%.3f", ratio)
				}
				ratios = append(ratios, text)
			}
		}
		if unit != "" {
			rows = append(rows, slices.Concat([]string{each.what, unit}, cells, ratios))
		}
	}
	if len(rows) == 1 {
		return ""
	}
	return markdown(rows)
}

func titleOf(contestant string) string {
	for _, c := range contestants {
		if c.name == contestant {
			return c.title
		}
	}
	return contestant
}

var english = message.NewPrinter(language.English)

// number prints a figure: four digits or more as a whole number, others with what makes them three.
func number(f figure) string {
	switch {
	case f.Value >= 100 || f.Value == float64(int(f.Value)):
		return english.Sprintf("%.0f", f.Value)
	case f.Value >= 10:
		return english.Sprintf("%.1f", f.Value)
	default:
		return english.Sprintf("%.2f", f.Value)
	}
}

// markdown is a table, whose first row is its head; columns that begin with a blank there hold numbers.
func markdown(rows [][]string) string {
	rule := make([]string, len(rows[0]))
	head := make([]string, len(rows[0]))
	for i, column := range rows[0] {
		rule[i] = "---"
		if strings.HasPrefix(column, " ") {
			rule[i] = "---:"
		}
		head[i] = strings.TrimSpace(column)
	}
	var text strings.Builder
	for _, cells := range slices.Concat([][]string{head, rule}, rows[1:]) {
		text.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return text.String()
}
