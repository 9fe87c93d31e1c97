package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"time"
)

// settings are what whoever runs the playground may set. All of them bound what strangers can take.
type settings struct {
	listen      string
	idle        time.Duration // after which a visitor's sandbox is closed
	sessions    int           // visitors with a sandbox, at a time
	perAddress  int           // of them, from one address
	concurrent  int           // guests that run at a time
	patience    time.Duration // how long a run waits for its turn
	rate        float64       // requests a second from one address, on average
	burst       int           // and at once
	shutdown    time.Duration // how long runs may go on after SIGTERM
	slowReader  time.Duration // how long a visitor may take to read a message
	most        maxima        // for one run
	behindProxy bool          // the visitor's address is in X-Forwarded-For
}

func defaultSettings() settings {
	return settings{
		listen:     "127.0.0.1:8080",
		idle:       5 * time.Minute,
		sessions:   32,
		perAddress: 4,
		concurrent: max(2, runtime.NumCPU()),
		patience:   10 * time.Second,
		rate:       2,
		burst:      20,
		shutdown:   5 * time.Second,
		slowReader: 10 * time.Second,
		most:       maxima{wallClock: 10 * time.Second, cpuTime: 5 * time.Second, heap: 32, print: 256},
	}
}

// parseSettings reads the command line. The help goes to out.
func parseSettings(args []string, out io.Writer) (settings, error) {
	s := defaultSettings()
	flags := flag.NewFlagSet("playground", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.listen, "listen", s.listen, "`address` to listen on")
	flags.DurationVar(&s.idle, "idle", s.idle, "close a visitor's sandbox after this `time` without a request")
	flags.IntVar(&s.sessions, "sessions", s.sessions, "visitors with a sandbox at a time")
	flags.IntVar(&s.perAddress, "sessions-per-address", s.perAddress, "of them, from one IP address")
	flags.IntVar(&s.concurrent, "concurrent", s.concurrent, "guests that run at a time")
	flags.DurationVar(&s.patience, "patience", s.patience, "how long a run waits for its turn")
	flags.Float64Var(&s.rate, "rate", s.rate, "requests a second from one IP address")
	flags.IntVar(&s.burst, "burst", s.burst, "requests at once from one IP address")
	flags.DurationVar(&s.shutdown, "shutdown", s.shutdown, "how long runs may go on after SIGTERM")
	flags.DurationVar(&s.slowReader, "slow-reader", s.slowReader, "stop the run of a visitor who takes longer to read what is sent")
	flags.BoolVar(&s.behindProxy, "behind-proxy", s.behindProxy, "believe X-Forwarded-For: only behind a proxy that sets it")
	flags.DurationVar(&s.most.wallClock, "max-wall-clock", s.most.wallClock, "the most that a visitor may choose: `time` of a run")
	flags.DurationVar(&s.most.cpuTime, "max-cpu-time", s.most.cpuTime, "processor `time` of a run")
	flags.IntVar(&s.most.heap, "max-heap", s.most.heap, "`MiB` that a guest can allocate")
	flags.IntVar(&s.most.print, "max-print", s.most.print, "`KiB` that a run may print")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(out)
		flags.PrintDefaults()
		return s, err
	case err != nil:
		return s, fmt.Errorf("%w; --help lists the flags", err)
	case flags.NArg() > 0:
		return s, fmt.Errorf("there is no argument %q, only flags: --help lists them", flags.Arg(0))
	}
	return s, s.check()
}

func (s settings) check() error {
	var problems []error
	for _, number := range []struct {
		flag     string
		positive bool
	}{
		{"idle", s.idle > 0},
		{"sessions", s.sessions > 0},
		{"sessions-per-address", s.perAddress > 0},
		{"concurrent", s.concurrent > 0},
		{"patience", s.patience > 0},
		{"rate", s.rate > 0},
		{"burst", s.burst > 0},
		{"shutdown", s.shutdown > 0},
		{"slow-reader", s.slowReader > 0},
	} {
		if !number.positive {
			problems = append(problems, fmt.Errorf("--%s must be above zero", number.flag))
		}
	}
	for _, l := range s.most.bounds() {
		if l.Max < l.Min {
			problems = append(problems, fmt.Errorf("--%s must be at least %d %s", l.flag, l.Min, l.Unit))
		}
	}
	return errors.Join(problems...)
}
