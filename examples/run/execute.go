package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// loadAllowance is how much longer than a call loading may take: it is the runtime's work, too.
const loadAllowance = 5 * time.Second

// run does what the command line asks for.
func (c *command) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	// The files come first: they fail sooner than a micro-VM boots.
	in, err := c.readInputs()
	if err != nil {
		return err
	}
	in.print = stderr
	event, err := readEvent(c.event, stdin)
	if err != nil {
		return err
	}
	loaded, err := c.start(ctx, in)
	if err != nil {
		return err
	}
	defer func() { _ = loaded.Close() }()
	for range c.repeat {
		var stats hyperlight.ExecutionStats
		options := append(c.limits(), hyperlight.WithGC(c.gc), hyperlight.WithStats(&stats))
		result, err := loaded.HandleEvent(ctx, c.handler, event.content, options...)
		if c.stats {
			_, _ = fmt.Fprintln(stderr, statsLine(c.file, &stats))
		}
		if err != nil {
			return &inputError{source: c.atFault(err, event), cause: c.limited(err)}
		}
		if _, err := fmt.Fprintf(stdout, "%s\n", result); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return nil
}

// load boots a sandbox and loads the script into it. What the guest prints goes to stderr.
func (c *command) load(ctx context.Context, in *inputs) (*hyperlight.LoadedJSSandbox, error) {
	proto, err := hyperlight.New(append(c.options, hyperlight.WithPrint(in.print))...)
	if err != nil {
		return nil, err
	}
	if in.files != nil {
		if err := proto.SetModuleLoader(in.files); err != nil {
			_ = proto.Close()
			return nil, err
		}
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.add(sandbox, in); err != nil {
		_ = sandbox.Close()
		return nil, err
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.timeout)+loadAllowance)
		defer cancel()
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		return nil, &inputError{source: c.file, cause: c.limited(err)}
	}
	return loaded, nil
}

// add gives the sandbox the handler and the modules.
func (c *command) add(sandbox *hyperlight.JSSandbox, in *inputs) error {
	for _, module := range in.modules {
		if err := sandbox.AddModule(module.name, hyperlight.Script(module.script)); err != nil {
			return &inputError{source: module.file, cause: err}
		}
	}
	if err := sandbox.AddHandler(c.handler, in.script); err != nil {
		return &inputError{source: c.file, cause: err}
	}
	return nil
}

// limits are those of each call.
func (c *command) limits() []hyperlight.CallOption {
	var monitors []hyperlight.Monitor
	if c.timeout > 0 {
		monitors = append(monitors, hyperlight.WallClock(time.Duration(c.timeout)))
	}
	if c.cpu > 0 {
		monitors = append(monitors, hyperlight.CPUTime(time.Duration(c.cpu)))
	}
	if len(monitors) == 0 {
		return nil
	}
	return []hyperlight.CallOption{hyperlight.WithMonitors(monitors...)}
}

// limitError says which limit of the command line ended the guest.
type limitError string

func (e limitError) Error() string { return string(e) }

// limited says so, if err is because of one.
func (c *command) limited(err error) error {
	var failure *hyperlight.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return limitError(fmt.Sprintf("loading it was stopped after %v (--timeout, and %v)",
			time.Duration(c.timeout)+loadAllowance, loadAllowance))
	case !errors.Is(err, hyperlight.ErrCancelled) || !errors.As(err, &failure):
		return err
	case failure.Monitor == "wall-clock":
		return limitError(fmt.Sprintf("stopped after %v (--timeout)", &c.timeout))
	case failure.Monitor == "cpu-time":
		return limitError(fmt.Sprintf("stopped after %v of processor time (--cpu)", &c.cpu))
	}
	return err
}

// statsLine tells what a call took.
func statsLine(file string, stats *hyperlight.ExecutionStats) string {
	line := fmt.Sprintf("%s: %v", file, stats.WallClock)
	if stats.HasCPUTime {
		line += fmt.Sprintf(", %v of processor time", stats.CPUTime)
	}
	if stats.TerminatedBy != "" {
		line += ", ended by " + stats.TerminatedBy
	}
	return line
}

// atFault names the input that made a call fail. The handler's name was good enough for AddHandler, so
// an argument that the call refuses is the event.
func (c *command) atFault(err error, event input) string {
	for _, refusal := range []error{hyperlight.ErrInvalidJSON, hyperlight.ErrInvalidArgument, hyperlight.ErrBufferTooSmall} {
		if errors.Is(err, refusal) {
			return event.name
		}
	}
	return c.file
}
