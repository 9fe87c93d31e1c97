package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A worker that is told to stop ends the job that runs, and leaves the others to the next, which finds them where it
// left them: in the folder of its own server.
func TestDrain(t *testing.T) {
	address, data := freeAddress(t), filepath.Join(t.TempDir(), "data")
	first := startWorker(t, "first", "--listen", address, "--data", data, "--sandboxes", "1")
	require.NoError(t, first.waitFor(t.Context(), "msg=ready"))
	t.Setenv("NATS_URL", "nats://"+address)
	s := openQueue(t, "nats://"+address)
	submit(t, s, "long", `function handler() { let sum = 0; for (let i = 0; i < 3e6; i++) sum += i; return sum; }`, "")
	begins(t, first, "long")
	for _, id := range []string{"a", "b", "c"} {
		submit(t, s, id, `function handler() { return "done"; }`, "")
	}
	require.NoError(t, first.drain())
	require.NoError(t, first.waitFor(t.Context(), "job is answered", "job=long "))

	own, err := startServer("127.0.0.1:0", data, newLog(t.Output()))
	require.NoError(t, err)
	t.Cleanup(own.stop)
	s = openQueue(t, own.url())
	require.Equal(t, 3, messages(t, s, jobsStream))
	next := workHere(t, settingsFor(own.url(), "next"))
	answers := answersTo(t, s, "long", "a", "b", "c")
	assert.Equal(t, answer{ID: "long", Result: []byte("4499998500000"), Attempts: 1, Worker: "first"}, answers["long"])
	for _, id := range []string{"a", "b", "c"} {
		assert.Equal(t, "next", answers[id].Worker)
	}
	next.drain()
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
