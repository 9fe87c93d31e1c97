package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat"
)

type collectCommand struct {
	paths
	Size   string   `help:"quick or full." enum:"quick,full" default:"quick"`
	Out    string   `help:"The file to write." required:"" type:"path"`
	Only   []string `help:"Only these contestants."`
	Vmrun  string   `help:"The runner of the emulated machine." env:"HYPERLIGHT_VMRUN"`
	Mode   string   `help:"never: on this machine's own hypervisor, in nanoseconds." env:"HYPERLIGHT_VM" default:"always"`
	Repeat int      `help:"How often programs run on the machine's own hypervisor; the median counts." default:"5"`
}

// Run runs all contestants: counted ones two at a time, since the emulated machine has one CPU, and counts the same
// however busy the host is; timed ones alone.
func (c *collectCommand) Run() error {
	if c.native() {
		if c.Repeat < 1 {
			return fmt.Errorf("--repeat is %d, below 1", c.Repeat)
		}
	} else if c.Vmrun == "" {
		return fmt.Errorf("HYPERLIGHT_VMRUN is not set; it names internal/vmrun, built. ./build.sh bench sets it")
	}
	r := &results{Size: c.Size, Unit: unitInstructions, Figures: figures{}}
	if c.native() {
		r.Unit = unitNanoseconds
	}
	var err error
	if r.Versions, err = c.versions(); err != nil {
		return err
	}
	var lock sync.Mutex
	run := func(one contestant) error {
		begin := time.Now()
		found, err := c.run(one)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %d figures in %v\n", one.name, len(found), time.Since(begin).Round(time.Second))
		lock.Lock()
		defer lock.Unlock()
		r.Figures[one.name] = found
		return nil
	}
	var together errgroup.Group
	together.SetLimit(2)
	var alone []contestant
	for _, one := range chosen(c.Size, c.Only) {
		if one.place == counted && !c.native() {
			together.Go(func() error { return run(one) })
		} else {
			alone = append(alone, one)
		}
	}
	if err := together.Wait(); err != nil {
		return err
	}
	for _, one := range alone {
		if err := run(one); err != nil {
			return err
		}
	}
	return r.save(c.Out)
}

// native says whether guests run on this machine's own hypervisor, where nothing counts instructions.
func (c *collectCommand) native() bool { return c.Mode == "never" }

// run runs a program and gives its figures. Those that would be counted, and are timed, are medians of several runs.
func (c *collectCommand) run(one contestant) (map[string]figure, error) {
	times := 1
	if c.native() && one.place == counted {
		times = c.Repeat
	}
	samples := map[string][]figure{}
	for range times {
		output, err := c.start(one)
		if err != nil {
			return nil, err
		}
		if err := parse(output, samples); err != nil {
			return nil, err
		}
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("it printed no figures")
	}
	all := map[string]figure{}
	for workload, values := range samples {
		all[workload] = median(values)
		if one.place == counted && !c.native() {
			all[workload] = all[workload].counted()
		}
	}
	return all, nil
}

// counted is what a figure means where one nanosecond is one instruction.
func (f figure) counted() figure {
	switch f.Unit {
	case unitNanoseconds:
		f.Unit = unitInstructions
	case "calls/s":
		f.Unit = "calls per billion instructions"
	case "requests/s":
		f.Unit = "requests per billion instructions"
	case "us":
		f.Unit = "thousand instructions"
	}
	return f
}

// start runs a program once, where it belongs, and gives what it printed.
func (c *collectCommand) start(one contestant) ([]byte, error) {
	folder := filepath.Join(c.Bench, one.folder)
	if one.folder == "" {
		empty, err := os.MkdirTemp("", "bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(empty)
		folder = empty
	}
	words := one.program
	if words == nil {
		words = []string{"$BIN/" + one.name}
	}
	words = expand(words, c.Programs)
	if !c.native() && one.place != host {
		runner := []string{c.Vmrun}
		if one.place == counted {
			runner = append(runner, "--icount")
		}
		words = append(runner, words...)
	}
	scale := "2"
	if c.Size == sizeQuick {
		scale = "1"
		if !one.aside {
			words = append(words, quick...)
		}
	}
	command := exec.Command(words[0], words[1:]...)
	command.Dir = folder
	command.Env = append(os.Environ(), expand(one.env, c.Programs)...)
	command.Env = append(command.Env, "BENCH_SCALE="+scale, "HYPERLIGHT_VM_FILES=", "HYPERLIGHT_VM_TIMEOUT=30m")
	if !c.native() {
		command.Env = append(command.Env, "HYPERLIGHT_VM=always")
	}
	command.Stderr = os.Stderr
	return command.Output()
}

// parse adds the figures that a program printed.
func parse(output []byte, samples map[string][]figure) error {
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 || fields[0] == "" || fields[1] == "" {
			return fmt.Errorf("it printed %q, which is not workload, unit and value with tabs between", lines.Text())
		}
		value, err := strconv.ParseFloat(fields[2], 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("it printed %q, whose value is no number", lines.Text())
		}
		samples[fields[0]] = append(samples[fields[0]], figure{value, fields[1]})
	}
	return lines.Err()
}

func median(values []figure) figure {
	numbers := make([]float64, len(values))
	for i, value := range values {
		numbers[i] = value.Value
	}
	slices.Sort(numbers)
	return figure{stat.Quantile(0.5, stat.Empirical, numbers, nil), values[0].Unit}
}
