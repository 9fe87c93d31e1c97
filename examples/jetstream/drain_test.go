package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// A worker that is told to stop ends the job that runs, and leaves the others to the next, which finds them where it
// left them: in the folder of its own server.
func TestDrain(t *testing.T) {
	address, data, release := freeAddress(t), filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "release")
	t.Setenv(roleVariable, "has jobs that wait")
	first, err := startProcess(t.Output(), address, data, release)
	require.NoError(t, err)
	t.Cleanup(first.kill)
	require.NoError(t, first.waitFor(t.Context(), "msg=ready"))
	s := openQueue(t, "nats://"+address)
	submit(t, s, "waits", `import * as test from "test"; function handler() { test.wait(); return "done"; }`, "")
	begins(t, first, "waits")
	for _, id := range []string{"a", "b", "c"} {
		submit(t, s, id, `function handler() { return "done"; }`, "")
	}
	require.NoError(t, first.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, first.waitFor(t.Context(), "draining"))
	require.NoError(t, os.WriteFile(release, nil, 0o644))
	<-first.ended
	require.NoError(t, first.err)

	own, err := startServer("127.0.0.1:0", data, newLog(t.Output()))
	require.NoError(t, err)
	t.Cleanup(own.stop)
	s = openQueue(t, own.url())
	require.Equal(t, 3, messages(t, s, jobsStream))
	next := workHere(t, settingsFor(own.url(), "next"))
	answers := answersTo(t, s, "waits", "a", "b", "c")
	assert.Equal(t, answer{ID: "waits", Result: []byte(`"done"`), Attempts: 1, Worker: "first"}, answers["waits"])
	for _, id := range []string{"a", "b", "c"} {
		assert.Equal(t, "next", answers[id].Worker)
	}
	next.drain()
}

// workWithJobsThatWait is the command work, and has a host function that returns when there is a file.
func workWithJobsThatWait(address, data, release string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	settings := settingsFor("", "first")
	settings.listen, settings.data = address, data
	settings.sandboxes.register = func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.Register("test", "wait", func() {
			for _, err := os.Stat(release); err != nil; _, err = os.Stat(release) {
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	if err := settings.work(ctx, newLog(os.Stderr)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A job that does not end in the time of grace goes to another worker.
func TestGrace(t *testing.T) {
	url, s := newQueue(t)
	submit(t, s, "stuck", script(t, "interrupted"), "")
	settings := settingsFor(url, "first")
	settings.grace = 0
	first := workHere(t, settings)
	begins(t, first, "stuck")
	first.drain()
	require.NoError(t, first.waitFor(t.Context(), "job is given back", "job=stuck "))

	workHere(t, settingsFor(url, "next"))
	answers := answersTo(t, s, "stuck")
	assert.Equal(t, answer{ID: "stuck", Result: []byte(`"back again"`), Attempts: 2, Worker: "next"}, answers["stuck"])
}
