//go:build linux && amd64

package soak_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// smallStacks runs goroutines that use a little more of their stack than they begin with, or a little less, and there
// get the signal that stops guests, as if it came too late: the kill guard sees to it that it does not, so nothing else
// shows that its handler can be trusted. They keep their stacks until all of them were there.
func smallStacks() error {
	const goroutines = 64
	var wrong atomic.Int64
	var group sync.WaitGroup
	all := make(chan struct{})
	for depth := range goroutines {
		group.Go(func() {
			if sumBelow(depth) != depth*(depth+1)/2 {
				wrong.Add(1)
			}
			if depth == goroutines-1 {
				close(all)
			}
			<-all
		})
	}
	group.Wait()
	if wrong.Load() > 0 {
		return errors.New("a goroutine has miscalculated: its stack was overwritten")
	}
	return nil
}

//go:noinline
func sumBelow(n int) int {
	if n == 0 {
		_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sigrtmin)
		return 0
	}
	garbage := make([]int, 16)
	garbage[n%16] = n
	return sumBelow(n-1) + garbage[n%16]
}

// bootAnother boots a sandbox, for which upstream installs its signal handler again.
func bootAnother(t *testing.T) func() error {
	return func() error {
		result, err := hyperlight.Run(t.Context(), "function handler(n) { return n + 1; }", []byte("41"),
			hyperlight.WithUpstreamDefaults())
		if err == nil && string(result) != "42" {
			err = fmt.Errorf("41 + 1 is %s", result)
		}
		return err
	}
}

// loadAnotherSnapshot loads a snapshot from its file, and restores it.
func loadAnotherSnapshot(t *testing.T) func() error {
	dir := t.TempDir()
	loaded := load(t, nil, counter, hyperlight.WithUpstreamDefaults())
	_, err := snapshot(t, loaded).Save(dir, "counter")
	require.NoError(t, err)
	return func() error {
		saved, err := hyperlight.LoadSnapshot(dir, "counter")
		if err != nil {
			return err
		}
		defer saved.Close()
		if err := loaded.Restore(t.Context(), saved); err != nil {
			return err
		}
		result, err := loaded.HandleEvent(t.Context(), "handler", []byte("{}"))
		if err == nil && string(result) != "1" {
			err = fmt.Errorf("the first call counts %s", result)
		}
		return err
	}
}

var content = bytes.Repeat([]byte("content "), 4_096)

// useFile writes a file and reads it.
func useFile(t *testing.T) func() error {
	path := filepath.Join(t.TempDir(), "file")
	return func() error {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return err
		}
		read, err := os.ReadFile(path)
		return sameContent(read, err)
	}
}

// connect sends something through a connection, and reads it when it comes back.
func connect(t *testing.T) func() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closeWith(t, listener)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection) // The other side misses what does not come back.
			}()
		}
	}()
	return func() error {
		connection, err := net.DialTimeout("tcp", listener.Addr().String(), patience)
		if err != nil {
			return err
		}
		defer connection.Close()
		if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		sent := make(chan error, 1)
		go func() {
			_, err := connection.Write(content)
			sent <- err
		}()
		received := make([]byte, len(content))
		_, err = io.ReadFull(connection, received)
		return sameContent(received, errors.Join(err, <-sent))
	}
}

func sameContent(found []byte, err error) error {
	if err == nil && !bytes.Equal(found, content) {
		err = errors.New("what was read is not what was written")
	}
	return err
}
