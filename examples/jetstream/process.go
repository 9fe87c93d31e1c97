package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// process is a worker in a process of its own.
type process struct {
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended, and all it said was read
	err     error         // how it ended

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed, and made anew, when there is a line
}

// startProcess starts this program with other arguments. Its log is copied to w.
func startProcess(w io.Writer, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.Command(program, args...), ended: make(chan struct{}), more: make(chan struct{})}
	log, err := p.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		for scanner := bufio.NewScanner(log); scanner.Scan(); {
			_, _ = fmt.Fprintln(w, scanner.Text())
			p.add(scanner.Text())
		}
		p.err = p.command.Wait()
	}()
	return p, nil
}

func (p *process) add(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	close(p.more)
	p.more = make(chan struct{})
}

// said tells whether a line of the log has all these texts, and what is closed when there are more lines.
func (p *process) said(texts []string) (bool, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.lines, func(line string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
	}), p.more
}

// waitFor waits for a line of the log that has all these texts.
func (p *process) waitFor(ctx context.Context, texts ...string) error {
	for {
		said, more := p.said(texts)
		if said {
			return nil
		}
		select {
		case <-more:
		case <-p.ended:
			if said, _ := p.said(texts); said {
				return nil
			}
			return fmt.Errorf("it ended (%v) and did not say %q", p.err, texts)
		case <-ctx.Done():
			return fmt.Errorf("it did not say %q: %w", texts, ctx.Err())
		}
	}
}

// kill ends the process without a warning, as a crash or a loss of power would.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// drain asks the process to end its work, and waits for that.
func (p *process) drain() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-p.ended
	return p.err
}
