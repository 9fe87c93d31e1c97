package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// process is a worker in a process of its own.
type process struct {
	transcript
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended
	err     error         // how it ended
}

// startProcess starts this program with other arguments. Its log is copied to w.
func startProcess(w io.Writer, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.Command(program, args...), ended: make(chan struct{})}
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
			_, _ = p.Write(scanner.Bytes())
		}
		p.end()
		p.err = p.command.Wait()
	}()
	return p, nil
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
