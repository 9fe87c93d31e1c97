package main

import (
	"errors"
	"fmt"
	"os"
)

// target is what a figure must not exceed.
type target struct {
	what   string
	of     key
	to     key // the zero key: the figure itself counts
	atMost float64
}

// targets are what this package promises.
var targets = []target{
	{"warm call, small event", key{"go", "warm_gc_false"}, key{"rust", "warm_gc_false"}, 1.04},
	{"warm call, with garbage collection", key{"go", "warm_gc_true"}, key{"rust", "warm_gc_true"}, 1.04},
	{"batch of 100, per event", key{"go", "batch_100"}, key{"rust", "warm_gc_false"}, 1.01},
	{"event and result of 100 kB", key{"go", "event_100kb"}, key{"rust", "event_100kb"}, 1.05},
	{"host function, JSON", key{"go", "host_json"}, key{"rust", "host_json"}, 1.25},
	{"call with a wall-clock monitor", key{"go", "handle_event_wall_clock"}, key{"rust", "handle_event_wall_clock"}, 1.05},
	{"context with a deadline, against the same monitor", key{"go", "deadline"}, key{"rust", "deadline"}, 1.10},
	{"allocations of a warm call, besides the result", key{"go", "allocs_per_call"}, key{}, 2},
	{"pool that restores, against call and restore", key{"go", "pool"}, key{"go", "call_and_restore"}, 1.05},
	{
		"unverified snapshot file, restore and call, against add, load and call of 40 kB",
		key{"go", "snapshot_file"}, key{"go", "add_load_call_40kb"}, 0.5,
	},
}

// errMissing is for a figure that a target, or a gate, needs.
var errMissing = errors.New("a figure is missing")

// value is what counts for the target.
func (t target) value(r *results) (float64, error) {
	if t.to == (key{}) {
		if f, ok := r.of(t.of.contestant, t.of.workload); ok {
			return f.Value, nil
		}
		return 0, fmt.Errorf("%w: %v", errMissing, t.of)
	}
	if ratio, ok := r.ratio(t.of, t.to); ok {
		return ratio, nil
	}
	return 0, fmt.Errorf("%w: %v or %v", errMissing, t.of, t.to)
}

// checkTargets gives a table, and an error that names the targets that are missed.
func checkTargets(r *results) (string, error) {
	rows := [][]string{{"target", " measured", " at most", ""}}
	var missed []error
	for _, each := range targets {
		value, err := each.value(r)
		verdict := "reached"
		if err != nil {
			missed = append(missed, fmt.Errorf("%s: %w", each.what, err))
			verdict = "missing"
		} else if value > each.atMost {
			missed = append(missed, fmt.Errorf("%s: %.3f, which must be at most %.2f", each.what, value, each.atMost))
			verdict = "**missed**"
		}
		rows = append(rows, []string{each.what, fmt.Sprintf("%.3f", value), fmt.Sprintf("%.2f", each.atMost), verdict})
	}
	return markdown(rows), errors.Join(missed...)
}

type targetsCommand struct {
	Results string `arg:"" help:"What collect has written." type:"existingfile"`
}

// Run prints the table of targets.
func (t *targetsCommand) Run() error {
	r, err := load(t.Results)
	if err != nil {
		return err
	}
	table, err := checkTargets(r)
	fmt.Fprint(os.Stdout, table)
	return err
}
