package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roleVariable makes this test binary another program: with "program", that which is tested.
const roleVariable = "JETSTREAM_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		_ = os.Setenv(roleVariable, "program") // for the processes that tests start
		os.Exit(m.Run())
	case "program":
		os.Exit(run(os.Args[1:]))
	case "dies before it acknowledges":
		dieBeforeAcknowledging(os.Args[1])
	case "has jobs that wait":
		workWithJobsThatWait(os.Args[1], os.Args[2], os.Args[3])
	}
	os.Exit(1)
}

// patience is for what must happen, on however slow a machine.
const patience = 4 * time.Minute

// ackWait is how long the server waits for a sign of life in tests.
const ackWait = 8 * time.Second

// newQueue starts a server, and connects to it.
func newQueue(t *testing.T) (url string, s *streams) {
	t.Helper()
	own, err := startServer("127.0.0.1:0", t.TempDir(), newLog(t.Output()))
	require.NoError(t, err)
	t.Cleanup(own.stop)
	return own.url(), openQueue(t, own.url())
}

func openQueue(t *testing.T, url string) *streams {
	t.Helper()
	conn, err := connection{url: url}.connect(t.Name(), newLog(t.Output()))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	s, err := openStreams(t.Context(), conn, streamSettings{replicas: 1, ackWait: ackWait})
	require.NoError(t, err)
	return s
}

// startWorker starts a worker in a process of its own. It is killed with the test, at the latest.
func startWorker(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p, err := startProcess(t.Output(), append([]string{"work", "--name", name, "--time", "3m", "--cpu", "3m", "--grace", "3m"}, args...)...)
	require.NoError(t, err)
	t.Cleanup(p.kill)
	return p
}

// testWorker is a worker in this process.
type testWorker struct {
	transcript
	t     *testing.T
	stop  context.CancelFunc
	ended chan error
}

func workHere(t *testing.T, settings workSettings) *testWorker {
	ctx, stop := context.WithCancel(t.Context())
	w := &testWorker{t: t, stop: stop, ended: make(chan error, 1)}
	go func() {
		w.ended <- settings.work(ctx, newLog(io.MultiWriter(t.Output(), &w.transcript)))
		close(w.ended)
		w.end()
	}()
	t.Cleanup(func() { stop(); <-w.ended })
	return w
}

// settingsFor is what workers in this process are told.
func settingsFor(url, name string) workSettings {
	return workSettings{
		name: name, to: connection{url: url}, grace: patience,
		streams:   streamSettings{replicas: 1, ackWait: ackWait},
		sandboxes: sandboxSettings{size: 1, bounds: limits{Time: duration(patience)}},
		retries:   retries{attempts: 3, first: 100 * time.Millisecond, most: time.Second},
	}
}

// drain has the worker end its work.
func (w *testWorker) drain() {
	w.t.Helper()
	w.stop()
	require.NoError(w.t, <-w.ended)
}

// begins waits for the worker to begin a job.
func begins(t *testing.T, log interface {
	waitFor(context.Context, ...string) error
}, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, log.waitFor(ctx, "job begins", "job="+id+" "))
}

func submit(t *testing.T, s *streams, id, script, event string) {
	t.Helper()
	require.NoError(t, s.submit(t.Context(), id, job{Script: script, Event: json.RawMessage(event)}))
}

// answersTo waits until all these jobs are answered, and the queue is empty. Then it makes sure that there is
// no other answer, to whatever job.
func answersTo(t *testing.T, s *streams, ids ...string) map[string]answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	answers := map[string]answer{}
	err := s.await(ctx, "*", func(a answer) bool {
		answers[a.ID] = a
		delete(missing, a.ID)
		return len(missing) == 0
	})
	require.NoError(t, err, "not answered: %v", slices.Sorted(maps.Keys(missing)))
	require.Eventually(t, func() bool { return messages(t, s, jobsStream) == 0 }, patience, 50*time.Millisecond,
		"all jobs are acknowledged")
	assert.Equal(t, len(ids), messages(t, s, answersStream), "as many answers as jobs")
	assert.Len(t, answers, len(ids))
	return answers
}

// messages is how many messages a stream holds.
func messages(t *testing.T, s *streams, name string) int {
	t.Helper()
	stream, err := s.js.Stream(t.Context(), name)
	require.NoError(t, err)
	return int(stream.CachedInfo().State.Msgs)
}

// program runs a command of the program, and returns what it prints.
func program(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := newCommand()
	var output bytes.Buffer
	command.SetOut(&output)
	command.SetArgs(args)
	err := command.ExecuteContext(t.Context())
	return output.String(), err
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// script is one of the folder jobs.
func script(t *testing.T, name string) string {
	t.Helper()
	text, err := scripts.ReadFile(fmt.Sprintf("jobs/%s.js", name))
	require.NoError(t, err)
	return string(text)
}

// nextMessage takes a job from the queue, as a worker does.
func nextMessage(s *streams) (jetstream.Msg, error) {
	return s.workers.Next(jetstream.FetchMaxWait(patience))
}
