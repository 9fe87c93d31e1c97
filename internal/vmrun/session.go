package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// bootLimit is how long the machine may take until the program starts. It
// takes seconds; a busy host may need many times that.
const bootLimit = 5 * time.Minute

// errTimeout is returned when the time limit has passed.
var errTimeout = errors.New("ended by the time limit")

// interruptedError is returned when a signal asked vmrun to stop.
type interruptedError struct{ signal syscall.Signal }

func (e *interruptedError) Error() string { return "interrupted: " + e.signal.String() }

// runInMachine runs the job and returns how the program ended. An error means
// that this is not known.
func runInMachine(cfg *config, j *job, signals <-chan os.Signal) (*exitMessage, error) {
	// See startMachine. The main goroutine never leaves this thread.
	runtime.LockOSThread()
	started := time.Now()

	qemu, err := findQEMU()
	if err != nil {
		return nil, err
	}
	k, err := findKernel(cfg.kernel, cfg.cache)
	if err != nil {
		return nil, err
	}
	forwarder, err := listen(cfg.forwards)
	if err != nil {
		return nil, err
	}
	defer forwarder.close()
	j.Serve = len(cfg.forwards) > 0
	stdin := inputOf(os.Stdin)
	j.Stdin = stdin != nil
	initrd, err := pack(cfg, k, j)
	if err != nil {
		return nil, err
	}
	packed := time.Since(started)
	m, err := startMachine(cfg, qemu, k, initrd)
	if err != nil {
		return nil, err
	}
	defer m.close()
	if err := forwarder.start(m.ports[portNetwork]); err != nil {
		return nil, err
	}

	s := &session{cfg: cfg, machine: m, up: make(chan *upMessage, 1), ended: make(chan result, 1)}
	go s.run(stdin)

	var limit <-chan time.Time
	if cfg.timeout > 0 {
		limit = time.After(cfg.timeout - time.Since(started))
	}
	bootLimit := time.After(bootLimit)
	for {
		select {
		case up := <-s.up:
			bootLimit = nil
			if cfg.verbose {
				fmt.Fprintf(os.Stderr, "vmrun: packed in %v, started after %v (%v in the guest)\n",
					packed.Round(time.Millisecond), time.Since(started).Round(time.Millisecond), up.Uptime)
			}
		case r := <-s.ended:
			if r.err != nil {
				return nil, fmt.Errorf("%w%s", r.err, m.diagnosis())
			}
			forwarder.finish()
			return r.exit, nil
		case sig := <-signals:
			return nil, &interruptedError{sig.(syscall.Signal)}
		case <-limit:
			m.kill()
			return nil, fmt.Errorf("%w (%v)%s", errTimeout, cfg.timeout, m.diagnosis())
		case <-bootLimit:
			m.kill()
			return nil, fmt.Errorf("the machine did not come up%s", m.diagnosis())
		}
	}
}

// session is the host's side of one run.
type session struct {
	cfg     *config
	machine *machine
	up      chan *upMessage
	ended   chan result
}

type result struct {
	exit *exitMessage
	err  error
}

// run serves the ports until everything has arrived.
func (s *session) run(stdin io.Reader) {
	ports := s.machine.ports
	if stdin != nil {
		go func() {
			// It may never end, and nobody waits for it. An error is not told:
			// either the machine ends too, or the input does, early.
			chunks := newChunkWriter(ports[portStdin])
			_, _ = io.Copy(chunks, stdin)
			_ = chunks.Close()
		}()
	}
	var exit *exitMessage
	failed := make(chan error, 3)
	var serving sync.WaitGroup
	serve := func(f func() error) {
		serving.Go(func() {
			if err := f(); err != nil {
				failed <- err
				s.machine.kill() // else the others might not end
			}
		})
	}
	serve(func() (err error) {
		exit, err = s.control(ports[portControl])
		return err
	})
	serve(func() error { return s.output(os.Stdout, ports[portStdout]) })
	serve(func() error { return s.output(os.Stderr, ports[portStderr]) })
	serving.Wait()
	select {
	case err := <-failed:
		s.ended <- result{err: err}
	default:
		s.ended <- result{exit: exit}
	}
}

// output copies one of the program's streams.
func (s *session) output(to *os.File, from io.Reader) error {
	err := copyChunks(to, from)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return s.suddenEnd()
	}
	if err != nil {
		return fmt.Errorf("copy the program's output: %w", err)
	}
	return nil
}

// suddenEnd is the error when a port is closed too early.
func (s *session) suddenEnd() error {
	select {
	case <-s.machine.done:
		return fmt.Errorf("the machine ended before the program did (%s: %w)", qemuName, s.machine.err)
	case <-time.After(5 * time.Second):
		return errors.New("the machine closed its ports before the program ended")
	}
}

// control follows the guest's messages to the last one.
func (s *session) control(r io.Reader) (*exitMessage, error) {
	messages := gob.NewDecoder(r)
	for {
		var msg message
		if err := messages.Decode(&msg); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, s.suddenEnd()
		} else if err != nil {
			return nil, fmt.Errorf("understand the machine: %w", err)
		}
		switch {
		case msg.Up != nil:
			s.up <- msg.Up
		case msg.File != nil:
			if err := s.receive(msg.File); err != nil {
				return nil, fmt.Errorf("copy a file back: %w", err)
			}
		case msg.Exit != nil:
			return msg.Exit, nil
		default:
			return nil, errors.New(msg.Failed)
		}
	}
}

// receive writes a part of a file from the guest to the same path here. The
// guest is not trusted to name other files than those asked for.
func (s *session) receive(part *fileMessage) error {
	if !s.cfg.wants(part.Path) {
		return fmt.Errorf("%s was not asked for", part.Path)
	}
	flags := os.O_WRONLY
	if part.Offset == 0 {
		flags |= os.O_CREATE | os.O_TRUNC
		if err := os.MkdirAll(filepath.Dir(part.Path), 0o755); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(part.Path, flags, part.Mode.Perm())
	if err != nil {
		return err
	}
	_, err = f.WriteAt(part.Data, part.Offset)
	return errors.Join(err, f.Close())
}

// inputOf returns what the program shall read as its standard input, or nil
// for nothing: a terminal belongs to the person, not to the machine.
func inputOf(f *os.File) io.Reader {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice != 0 {
		return nil
	}
	return f
}
