package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/pflag"
)

// Exit codes besides the program's own; the numbers are those of timeout(1).
const (
	exitUsage   = 2
	exitTimeout = 124
	exitInfra   = 125
	exitSignal  = 128 // plus the signal's number
)

func main() {
	if isGuestInit() {
		guestInit()
	}
	if os.Getenv(probeChildEnv) != "" {
		os.Exit(probeChild())
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	cfg, command, err := parseConfig(args)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	if err != nil {
		say("%v (vmrun --help tells more)", err)
		return exitUsage
	}
	if len(command) == 1 && command[0] == "probe" {
		return runProbe(cfg)
	}
	path, err := exec.LookPath(command[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		say("%v", err)
		return exitInfra
	}
	if hostWorks(cfg) {
		return runHere(path, command)
	}
	return runThere(cfg, path, command)
}

// hostWorks decides whether the program runs on the host.
func hostWorks(cfg *config) bool {
	if cfg.mode != modeAuto {
		return cfg.mode == modeNever
	}
	// The machine always works, so it is what is left where nothing is known.
	probe, err := probeHost(cfg)
	if err != nil {
		probe = &probeResult{Text: err.Error()}
	}
	if cfg.verbose {
		say("%s", probe.Text)
	}
	return probe.Works
}

// runProbe tells what the hypervisor of this host can do.
func runProbe(cfg *config) int {
	probe, err := probeHost(cfg)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(probe.Text)
	if !probe.Works {
		return 1
	}
	return 0
}

// runHere replaces this process by the program.
func runHere(path string, command []string) int {
	say("running %s on this host", filepath.Base(path))
	err := syscall.Exec(path, command, os.Environ())
	say("start %s: %v", path, err)
	return exitInfra
}

// runThere runs the program in the machine.
func runThere(cfg *config, path string, command []string) int {
	// Before the machine exists, so that none can be left behind.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)

	dir, err := os.Getwd()
	if err != nil {
		say("find the working directory: %v", err)
		return exitInfra
	}
	python, err := askPython(path)
	if err != nil {
		say("%v", err)
		return exitInfra
	}
	if python != nil {
		path, cfg.python = python.Executable, python.Library
		command = append([]string{path}, command[1:]...)
	}
	exit, err := runInMachine(cfg, &job{
		Path: path,
		Args: command,
		Env:  guestEnv(os.Environ()),
		Dir:  dir,
		Outs: cfg.outs,
	}, signals)
	var interrupted *interruptedError
	switch {
	case errors.Is(err, errTimeout):
		say("%v", err)
		return exitTimeout
	case errors.As(err, &interrupted):
		say("%v", interrupted)
		return exitSignal + int(interrupted.signal)
	case err != nil:
		say("%v", err)
		return exitInfra
	case exit.Signal != 0:
		say("%s was ended by signal %d (%v)", filepath.Base(path), exit.Signal, syscall.Signal(exit.Signal))
		return exitSignal + exit.Signal
	}
	return exit.Code
}

// say prints one line about vmrun itself.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "vmrun: "+format+"\n", args...)
}
