package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/spf13/pflag"
)

const usageLine = "Usage: run [flags] FILE.js [EVENT|@file|-]"

// command is what the command line asks for.
type command struct {
	file    string // the script
	event   string // JSON, @file or -
	handler string
	options []hyperlight.Option
	sizes   []string // the flags that options come from
	gc      bool
	repeat  int

	timeout, cpu limit // of each call; 0: none
	modules      []moduleFile
	fs           string // a folder to import from, or ""
	snapshots    string // a folder for snapshots, or ""
	stats        bool
}

// settings holds the values of the flags.
type settings struct {
	handler          string
	heap             size
	scratch          size
	inputBuffer      size
	outputBuffer     size
	upstreamDefaults bool
	gc               bool
	repeat           count
	timeout          limit
	cpu              limit
	modules          moduleFiles
	fs               string
	snapshots        string
	stats            bool
}

func newFlagSet() (*pflag.FlagSet, *settings) {
	s := &settings{
		heap:         hyperlight.DefaultHeapSize,
		scratch:      hyperlight.DefaultScratchSize,
		inputBuffer:  hyperlight.DefaultInputBufferSize,
		outputBuffer: hyperlight.DefaultOutputBufferSize,
		repeat:       1,
	}
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {} // run prints it, and knows where to.
	flags.StringVar(&s.handler, "handler", "", "`name` of the handler, which stack traces show (default FILE without folder and extension)")
	flags.Var(&s.timeout, "timeout", "end a call that takes longer than this `time`, such as 500ms or 2s")
	flags.Var(&s.cpu, "cpu", "end a call that takes more processor `time` than this")
	flags.Var(&s.modules, "module", "a file that the script can import as user:NAME, `[NAME=]FILE`; repeatable. NAME is FILE without folder\nand extension if not given")
	flags.StringVar(&s.fs, "fs", "", "a `folder` from which the script can import files, and packages in node_modules")
	flags.StringVar(&s.snapshots, "snapshot", "", "a `folder` that keeps the loaded script: the first run loads it and saves a snapshot, later ones start from that")
	flags.BoolVar(&s.stats, "stats", false, "tell what each call took, on standard error")
	flags.Var(&s.heap, "heap", "memory of the guest's heap")
	flags.Var(&s.scratch, "scratch", "memory for the pages that the guest writes to, and for both buffers")
	flags.Var(&s.inputBuffer, "input-buffer", "bounds the script, and the event")
	flags.Var(&s.outputBuffer, "output-buffer", "bounds the result")
	flags.BoolVar(&s.upstreamDefaults, "upstream-defaults", false, "start from upstream's sizes (heap 4MiB, scratch 1MiB, buffers 16KiB) instead of these defaults")
	flags.BoolVar(&s.gc, "gc", true, "collect cyclic garbage after each call; --gc=false turns it off")
	flags.Var(&s.repeat, "repeat", "call the handler so many times with the same event; module state is kept between the calls")
	return flags, s
}

// help is the answer to --help.
func help() string {
	flags, _ := newFlagSet()
	return usageLine + `

Calls the handler of a JavaScript file in a micro-VM, and prints its result as one line of JSON.
What the script prints itself (console.log, print) goes to standard error.

EVENT is the handler's argument: JSON, a file with JSON (@file), or - for standard input. Without one it
is {}. Put -- before one that looks like a flag: run -- FILE.js -1

Flags:
` + flags.FlagUsages() + `
A size is a number of bytes, or a number with suffix K, M or G, or KiB, MiB or GiB, which are the same.

Exit status: 0 success, 1 failure, 2 wrong usage, 3 no hypervisor that works, 4 ended by --timeout or --cpu.
`
}

// parseCommand returns a command, or pflag.ErrHelp, or a usageError.
func parseCommand(args []string) (*command, error) {
	flags, s := newFlagSet()
	if err := flags.Parse(args); err != nil {
		return nil, flagError(err)
	}
	c := &command{event: "{}", handler: s.handler, gc: s.gc, repeat: int(s.repeat),
		timeout: s.timeout, cpu: s.cpu, modules: s.modules, fs: s.fs, snapshots: s.snapshots, stats: s.stats}
	switch arguments := flags.Args(); len(arguments) {
	case 0:
		return nil, usageError("FILE.js is missing")
	case 1:
		c.file = arguments[0]
	case 2:
		c.file, c.event = arguments[0], arguments[1]
	default:
		return nil, usageError("too many arguments: " + strings.Join(arguments[2:], " "))
	}
	switch {
	case c.file == "":
		return nil, usageError("FILE.js is empty")
	case !flags.Changed("handler"):
		base := filepath.Base(c.file)
		c.handler = strings.TrimSuffix(base, filepath.Ext(base))
	case c.handler == "":
		return nil, usageError("--handler is empty")
	}
	for _, name := range []string{"fs", "snapshot"} {
		if flag := flags.Lookup(name); flag.Changed && flag.Value.String() == "" {
			return nil, usageError("--" + name + " is empty")
		}
	}
	c.options = s.options(flags)
	flags.Visit(func(flag *pflag.Flag) {
		if _, isSize := flag.Value.(*size); isSize || flag.Name == "upstream-defaults" {
			c.sizes = append(c.sizes, flag.Name+"="+flag.Value.String())
		}
	})
	return c, nil
}

// options has only those sizes that were given, so that the others come from the package, or upstream.
func (s *settings) options(flags *pflag.FlagSet) []hyperlight.Option {
	var options []hyperlight.Option
	if s.upstreamDefaults {
		options = append(options, hyperlight.WithUpstreamDefaults())
	}
	for name, option := range map[string]hyperlight.Option{
		"heap":          hyperlight.WithHeapSize(int(s.heap)),
		"scratch":       hyperlight.WithScratchSize(int(s.scratch)),
		"input-buffer":  hyperlight.WithInputBufferSize(int(s.inputBuffer)),
		"output-buffer": hyperlight.WithOutputBufferSize(int(s.outputBuffer)),
	} {
		if flags.Changed(name) {
			options = append(options, option)
		}
	}
	return options
}

// flagError words pflag's errors for people: without the names of Go functions.
func flagError(err error) error {
	var invalid *pflag.InvalidValueError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &invalid):
		reason := invalid.Unwrap()
		if errors.As(reason, new(*strconv.NumError)) { // of a boolean flag
			reason = errors.New("must be true or false")
		}
		return usageError(fmt.Sprintf("--%s %q: %v", invalid.GetFlag().Name, invalid.GetValue(), reason))
	}
	return usageError(err.Error())
}
