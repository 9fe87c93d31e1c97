package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// run does what the command line asks for.
func (c *command) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	// The files come first: they fail sooner than a micro-VM boots.
	script, err := readScript(c.file)
	if err != nil {
		return err
	}
	event, err := readEvent(c.event, stdin)
	if err != nil {
		return err
	}
	loaded, err := c.load(ctx, script, stderr)
	if err != nil {
		return err
	}
	defer func() { _ = loaded.Close() }()
	for range c.repeat {
		result, err := loaded.HandleEvent(ctx, c.handler, event.content, hyperlight.WithGC(c.gc))
		if err != nil {
			return &inputError{source: c.atFault(err, event), cause: err}
		}
		if _, err := fmt.Fprintf(stdout, "%s\n", result); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return nil
}

// load boots a sandbox and loads the script into it. What the guest prints goes to stderr.
func (c *command) load(ctx context.Context, script string, stderr io.Writer) (*hyperlight.LoadedJSSandbox, error) {
	proto, err := hyperlight.New(append(c.options, hyperlight.WithPrint(stderr))...)
	if err != nil {
		return nil, err
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		return nil, err
	}
	if err := sandbox.AddHandler(c.handler, hyperlight.Script(script)); err != nil {
		_ = sandbox.Close()
		return nil, &inputError{source: c.file, cause: err}
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		return nil, &inputError{source: c.file, cause: err}
	}
	return loaded, nil
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
