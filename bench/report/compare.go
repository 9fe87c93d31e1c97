package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
)

// tolerated is by how much a gated figure may grow.
const tolerated = 0.03

// shown is from which change on a figure is worth a line; what is below may be chance.
const shown = 0.01

// gate is a figure of Go that must not get slower. Another kernel, compiler or emulator changes all figures, so what
// counts is how many times the figure beside it this is, in the same run.
type gate struct{ of, to key }

// gates are all targets that are ratios, and what else the quick results have of Go and of Rust.
func gates() []gate {
	var all []gate
	for _, each := range targets {
		if each.to != (key{}) {
			all = append(all, gate{each.of, each.to})
		}
	}
	for _, workload := range []string{
		"event_1kb", "host_bytes_1kb", "jsload_1_handler", "add_load_call_40kb", "restore", "call_and_restore",
	} {
		all = append(all, gate{key{"go", workload}, key{"rust", workload}})
	}
	for _, batch := range []string{"batch_10", "batch_1000"} {
		all = append(all, gate{key{"go", batch}, key{"rust", "warm_gc_false"}})
	}
	return all
}

// change is what became of a figure.
type change struct {
	key
	before, after figure
}

func (c change) growth() float64 { return c.after.Value/c.before.Value - 1 }

// changes are those that are worth a line, the worst first.
func changes(before, after *results) []change {
	var all []change
	for contestant, workloads := range before.Figures {
		for workload, was := range workloads {
			is, ok := after.of(contestant, workload)
			if !ok || was.Value == 0 || was.Unit != is.Unit {
				continue
			}
			if c := (change{key{contestant, workload}, was, is}); c.growth() >= shown || c.growth() <= -shown {
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b change) int {
		return cmp.Or(cmp.Compare(b.growth(), a.growth()), cmp.Compare(a.String(), b.String()))
	})
	return all
}

// compare gives a table of what changed, and an error that names the gated figures that got slower.
func compare(before, after *results) (string, error) {
	if before.Unit != after.Unit || before.Size != after.Size {
		return "", fmt.Errorf("%s results in %s do not compare with %s results in %s",
			before.Size, before.Unit, after.Size, after.Unit)
	}
	rows := [][]string{{"contestant", "workload", "unit", " before", " after", " change"}}
	for _, c := range changes(before, after) {
		rows = append(rows, []string{
			c.contestant, c.workload, c.after.Unit, number(c.before), number(c.after), fmt.Sprintf("%+.1f %%", 100*c.growth()),
		})
	}
	var slower []error
	for _, each := range gates() {
		was, ok := before.ratio(each.of, each.to)
		if !ok {
			continue
		}
		is, ok := after.ratio(each.of, each.to)
		if !ok {
			slower = append(slower, fmt.Errorf("%w: %v or %v", errMissing, each.of, each.to))
		} else if is/was-1 > tolerated {
			slower = append(slower, fmt.Errorf("%v got slower by %.1f %%: from %.3f times %v to %.3f",
				each.of, 100*(is/was-1), was, each.to, is))
		}
	}
	if len(rows) == 1 {
		return fmt.Sprintf("No figure changed by %.0f %% or more.\n", 100*shown), errors.Join(slower...)
	}
	return markdown(rows), errors.Join(slower...)
}

type compareCommand struct {
	Old string `arg:"" help:"What collect wrote before." type:"existingfile"`
	New string `arg:"" help:"What collect wrote now." type:"existingfile"`
}

// Run prints what changed.
func (c *compareCommand) Run() error {
	before, err := load(c.Old)
	if err != nil {
		return err
	}
	after, err := load(c.New)
	if err != nil {
		return err
	}
	table, err := compare(before, after)
	fmt.Fprint(os.Stdout, table)
	return err
}
