package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// config is what flags and environment ask for.
type config struct {
	mode        mode
	memoryBytes int64
	cpus        int
	icount      bool
	timeout     time.Duration // 0: none
	kernel      string        // "": look in the cache
	verbose     bool
	files       []namedFile
	outs        []string // absolute
	forwards    []forward
	python      []string // folders of the standard library, if the program is a Python interpreter

	cache   string // the project's cache directory
	library string // absolute path of the shim, "": look in the cache
	home    string // absolute
}

// namedFile is a file or directory on the host and its place in the machine.
type namedFile struct{ host, guest string }

// mode says where programs run.
type mode string

const (
	modeAuto   mode = "auto"   // on the host if its hypervisor works, else in the machine
	modeAlways mode = "always" // in the machine
	modeNever  mode = "never"  // on the host
)

// libraryName is the file name of the project's native library, the shim.
const libraryName = "libhyperlight_js_capi.so"

const usageText = `Usage: vmrun [flags] BINARY [ARGS...]
       vmrun [flags] probe

Runs BINARY in a throw-away emulated machine in which Hyperlight works, or
directly where the host's own hypervisor boots a guest. These are there at the
same paths, and nothing else of the host is: the working directory, the shared
libraries that BINARY links, regular files that ARGS name (also as -flag=FILE,
NAME=FILE and @FILE), and the native library (the file HYPERLIGHT_JS_LIBRARY, or
else "lib" in the cache). With BINARY python or python3 comes its standard
library, without installed packages. Of the working directory these stay outside:
.git, directories with a go.mod or a CACHEDIR.TAG of their own, files above 64 MiB.

Use it with go test -exec and go run -exec.

"vmrun probe" tells whether the host boots a guest itself: exit status 0 or 1.
(A program of that name is ./probe.)

Flags:
%s
Environment:
  HYPERLIGHT_VM          auto, always (in the machine) or never (default auto)
  HYPERLIGHT_VM_KERNEL   like --kernel
  HYPERLIGHT_VM_TIMEOUT  like --timeout
  HYPERLIGHT_VM_FILES    like --file, several separated by colons, same path in
                         the machine
  HYPERLIGHT_VM_OUT      like --out, several separated by colons
  HYPERLIGHT_VM_PORTS    like --port, several separated by commas
  HYPERLIGHT_JS_CACHE    the cache (default hyperlight-js-go in the user's cache
                         directory)
BINARY gets the whole environment, but PATH, TMPDIR and LD_PRELOAD; in the
machine it also finds HYPERLIGHT_VM_INSIDE=1.

Files that come back to the host: --out, GOCOVERDIR, and what BINARY's flags
-test.coverprofile, -test.cpuprofile, -test.memprofile, -test.blockprofile,
-test.mutexprofile, -test.trace, -test.gocoverdir and -test.fuzz say.

Exit status: BINARY's own; 128+N when signal N ended it; 2 wrong usage; 124 time
limit; 125 the machine failed; 128+N when signal N stopped vmrun itself.
`

// parseConfig reads the command line, without the program's name, and the
// environment. It returns pflag.ErrHelp after it has printed the help.
func parseConfig(args []string) (*config, []string, error) {
	cfg := &config{}
	flags := pflag.NewFlagSet("vmrun", pflag.ContinueOnError)
	flags.SetInterspersed(false) // what follows BINARY is BINARY's
	flags.SortFlags = false
	flags.Usage = func() {} // printed below
	memory := flags.String("memory", "4G", "the machine's `size` of memory, with suffix M or G")
	// With more, QEMU 7.2 hangs now and then: one CPU spins and the other waits for ever, seen in 2 of some 40
	// runs of programs that start many micro-VMs. One CPU is as fast, for what runs here.
	flags.IntVar(&cfg.cpus, "cpus", 1, "the machine's CPUs; with more than one QEMU hangs now and then")
	flags.BoolVar(&cfg.icount, "icount", false,
		"repeatable figures: one CPU, one virtual nanosecond is one executed instruction")
	flags.DurationVar(&cfg.timeout, "timeout", 0, "end the machine after this time, such as 90s; 0 is never (default 0)")
	flags.StringVar(&cfg.kernel, "kernel", "",
		"`dir` with an unpacked linux-image package (default the newest in \"kernel\" in the cache)")
	files := flags.StringArray("file", nil,
		"pack this file or directory too, `HOSTPATH[:GUESTPATH]`; repeatable")
	outs := flags.StringArray("out", nil,
		"copy the file or directory at this `path` to the same path on the host\nat the end, as far as BINARY has written it; repeatable")
	ports := flags.StringArray("port", nil,
		"pass TCP connections to this `port` of the host's 127.0.0.1 on to the same port in\nthe machine, or HOST:GUEST; repeatable")
	flags.BoolVarP(&cfg.verbose, "verbose", "v", false, "tell how long the start took")

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			fmt.Printf(usageText, flags.FlagUsages())
		}
		return nil, nil, err
	}
	rest := flags.Args()
	if len(rest) == 0 {
		return nil, nil, errors.New("no BINARY given")
	}
	var err error
	if cfg.memoryBytes, err = parseSize(*memory); err != nil {
		return nil, nil, fmt.Errorf("--memory: %w", err)
	}
	if cfg.cpus < 1 || cfg.timeout < 0 {
		return nil, nil, errors.New("--cpus must be at least 1, and --timeout not be negative")
	}
	for _, file := range *files {
		host, guest, _ := strings.Cut(file, ":")
		if err := cfg.addFile(host, guest); err != nil {
			return nil, nil, fmt.Errorf("--file: %w", err)
		}
	}
	if err := cfg.readEnv(flags.Changed("timeout")); err != nil {
		return nil, nil, err
	}
	if env := os.Getenv("HYPERLIGHT_VM_PORTS"); env != "" && len(*ports) == 0 {
		*ports = []string{env}
	}
	for _, port := range *ports {
		forwards, err := parseForwards(port)
		if err != nil {
			return nil, nil, fmt.Errorf("--port, HYPERLIGHT_VM_PORTS: %w", err)
		}
		cfg.forwards = append(cfg.forwards, forwards...)
	}
	wanted := append(*outs, filepath.SplitList(os.Getenv("HYPERLIGHT_VM_OUT"))...)
	wanted = append(wanted, testOutputs(rest[1:])...)
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		wanted = append(wanted, dir)
	}
	for _, out := range wanted {
		path, err := filepath.Abs(out)
		if err != nil {
			return nil, nil, err
		}
		cfg.outs = append(cfg.outs, path)
	}
	inputs := namedInArgs(rest[1:])
	if _, cache := fuzzDirs(rest[1:]); cache != "" && exists(cache) {
		inputs = append(inputs, cache)
	}
	for _, input := range inputs {
		if err := cfg.addFile(input, ""); err != nil {
			return nil, nil, err
		}
	}
	return cfg, rest, nil
}

// readEnv fills in what the environment says. Flags are stronger.
func (c *config) readEnv(timeoutSet bool) error {
	c.mode = mode(os.Getenv("HYPERLIGHT_VM"))
	switch c.mode {
	case "":
		c.mode = modeAuto
	case modeAuto, modeAlways, modeNever:
	default:
		return fmt.Errorf("HYPERLIGHT_VM is %q: use auto, always or never", c.mode)
	}
	if text := os.Getenv("HYPERLIGHT_VM_TIMEOUT"); text != "" && !timeoutSet {
		limit, err := time.ParseDuration(text)
		if err != nil || limit < 0 {
			return fmt.Errorf("HYPERLIGHT_VM_TIMEOUT is %q: use a duration such as 90s", text)
		}
		c.timeout = limit
	}
	if c.kernel == "" {
		c.kernel = os.Getenv("HYPERLIGHT_VM_KERNEL")
	}
	for _, file := range filepath.SplitList(os.Getenv("HYPERLIGHT_VM_FILES")) {
		if err := c.addFile(file, ""); err != nil {
			return fmt.Errorf("HYPERLIGHT_VM_FILES: %w", err)
		}
	}
	if library := os.Getenv("HYPERLIGHT_JS_LIBRARY"); library != "" {
		var err error
		if c.library, err = filepath.Abs(library); err != nil {
			return err
		}
	}
	var err error
	if c.cache, err = cacheDir(); err != nil {
		return err
	}
	// A home that is not absolute would be the program's own problem.
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		c.home = filepath.Clean(home)
	} else {
		c.home = "/root"
	}
	return nil
}

// cacheDir returns the absolute path of the project's cache.
func cacheDir() (string, error) {
	if dir := os.Getenv("HYPERLIGHT_JS_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache: %w (or set HYPERLIGHT_JS_CACHE)", err)
	}
	return filepath.Join(user, "hyperlight-js-go"), nil
}

// addFile names a file to pack. An empty guest path is the host's.
func (c *config) addFile(host, guest string) error {
	path, err := filepath.Abs(host)
	if err != nil {
		return err
	}
	if guest == "" {
		guest = path
	}
	if !filepath.IsAbs(guest) {
		return fmt.Errorf("%s: the path in the machine must be absolute", guest)
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	c.files = append(c.files, namedFile{path, filepath.Clean(guest)})
	return nil
}

// wants reports whether the file at path was asked for.
func (c *config) wants(path string) bool {
	if path != filepath.Clean(path) {
		return false
	}
	for _, out := range c.outs {
		if path == out || strings.HasPrefix(path, out+"/") {
			return true
		}
	}
	return false
}

// parseSize reads a size such as 512M or 4G, in bytes.
func parseSize(text string) (int64, error) {
	shift := 0
	number := text
	if n, ok := strings.CutSuffix(text, "G"); ok {
		number, shift = n, 30
	} else if n, ok := strings.CutSuffix(text, "M"); ok {
		number, shift = n, 20
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || shift == 0 || n < 1 || n > 1<<20 {
		return 0, fmt.Errorf("%q is not a size such as 512M or 4G", text)
	}
	return n << shift, nil
}
