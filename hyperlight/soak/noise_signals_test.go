//go:build linux && amd64

package soak_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// notified are signals that the program sends itself. The last two are the neighbours of the one that stops guests, and
// the last there is.
var notified = []unix.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGTERM, unix.SIGCHLD,
	unix.SIGWINCH, unix.SIGIO, unix.SIGURG, sigrtmin + 1, 64,
}

// sigrtmin is SIGRTMIN of glibc, which stops guests.
const sigrtmin unix.Signal = 34

// signalItself has the program notified of every signal there is, and of each that it sends in particular.
func signalItself(t *testing.T) func() error {
	all := make(chan os.Signal, 1)
	signal.Notify(all)
	t.Cleanup(func() { signal.Stop(all) })
	next := 0
	return func() error {
		sent := notified[next%len(notified)]
		next++
		received := make(chan os.Signal, 1)
		signal.Notify(received, sent)
		defer signal.Stop(received)
		if err := unix.Kill(os.Getpid(), sent); err != nil {
			return err
		}
		select {
		case <-received:
			return nil
		case <-time.After(patience):
			return fmt.Errorf("signal %d was sent, but not notified", sent)
		}
	}
}

// signalAllThreads sends to each thread what Go sends when it wants one to yield, and what stops guests.
func signalAllThreads() error {
	threads, err := os.ReadDir(ownThreads)
	if err != nil {
		return err
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		for _, signal := range []unix.Signal{unix.SIGURG, sigrtmin} {
			if err := unix.Tgkill(os.Getpid(), tid, signal); err != nil && err != unix.ESRCH { // It may have ended.
				return err
			}
		}
	}
	return nil
}

// profile has the kernel send SIGPROF, or no more.
func profile(t *testing.T) func() error {
	running := false
	t.Cleanup(pprof.StopCPUProfile)
	return func() error {
		running = !running
		if running {
			return pprof.StartCPUProfile(io.Discard)
		}
		pprof.StopCPUProfile()
		return nil
	}
}

// runChild runs this program without a test. Its end is a SIGCHLD, too.
func runChild(t *testing.T) func() error {
	program, err := os.Executable()
	require.NoError(t, err)
	return func() error {
		output, err := exec.Command(program, "-test.run=^$").CombinedOutput()
		if err == nil && !strings.Contains(string(output), "PASS") {
			err = fmt.Errorf("the child said %q", output)
		}
		return err
	}
}
