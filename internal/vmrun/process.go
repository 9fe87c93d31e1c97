package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runProcess runs the job's program in the guest, and returns when it has ended
// and all of its output is sent. Pipes stand between program and ports: a port
// can be opened only once, while programs open /dev/stdout or inherit a stream.
func runProcess(j *job, ports map[port]*os.File) (*exitMessage, error) {
	stdin, err := openStdin(j.Stdin, ports[portStdin])
	if err != nil {
		return nil, err
	}
	var sending sync.WaitGroup
	stdout, err := openOutput(&sending, ports[portStdout])
	if err != nil {
		return nil, err
	}
	stderr, err := openOutput(&sending, ports[portStderr])
	if err != nil {
		return nil, err
	}
	// Not os/exec: PID 1 must collect whatever child ends, see below.
	pid, err := syscall.ForkExec(j.Path, j.Args, &syscall.ProcAttr{
		Dir:   j.Dir,
		Env:   j.Env,
		Files: []uintptr{stdin.Fd(), stdout.Fd(), stderr.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("start %s in the machine: %w", j.Path, err)
	}
	_ = errors.Join(stdin.Close(), stdout.Close(), stderr.Close())

	status, err := reapUntil(pid)
	if err != nil {
		return nil, err
	}
	// What the program left behind holds the pipes open; it ends with the
	// program, as the machine does.
	_ = unix.Kill(-1, unix.SIGKILL)
	sending.Wait()
	if status.Signaled() {
		return &exitMessage{Signal: int(status.Signal())}, nil
	}
	return &exitMessage{Code: status.ExitStatus()}, nil
}

// reapUntil collects ended processes, orphans too, until pid has ended.
func reapUntil(pid int) (syscall.WaitStatus, error) {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for the program: %w", err)
		case ended == pid:
			return status, nil
		}
	}
}

// openStdin returns the program's standard input.
func openStdin(passed bool, from *os.File) (*os.File, error) {
	if !passed {
		return os.Open(os.DevNull)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		// An error means that nobody reads any more, as with any pipe.
		_ = copyChunks(w, from)
		_ = w.Close()
	}()
	return r, nil
}

// openOutput returns the program's end of an output stream that is sent to a
// port until the last process has closed it.
func openOutput(sending *sync.WaitGroup, to *os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	sending.Go(func() {
		chunks := newChunkWriter(to)
		buf := make([]byte, maxChunk)
		for {
			n, err := r.Read(buf)
			if n > 0 {
				if _, err := chunks.Write(buf[:n]); err != nil {
					fmt.Println("vmrun init: send output:", err)
					return
				}
			}
			if err != nil {
				break
			}
		}
		_ = chunks.Close()
	})
	return w, nil
}

// sendFiles sends the regular files at the paths, or below them, that were
// changed since the given time. One that the program did not write is no error:
// a failed test writes no profile.
func sendFiles(control *gob.Encoder, paths []string, since time.Time) error {
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err != nil || info.ModTime().Before(since) {
				return err
			}
			return sendFile(control, path)
		})
		if err != nil {
			return fmt.Errorf("send %s back: %w", path, err)
		}
	}
	return nil
}

func sendFile(control *gob.Encoder, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	buf := make([]byte, 256<<10)
	for offset := int64(0); ; {
		n, err := f.Read(buf)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 && offset > 0 {
			return nil
		}
		part := &fileMessage{Path: path, Mode: info.Mode().Perm(), Offset: offset, Data: buf[:n]}
		if err := control.Encode(message{File: part}); err != nil {
			return err
		}
		offset += int64(n)
		if n == 0 {
			return nil
		}
	}
}
