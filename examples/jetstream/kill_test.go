package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of two workers one is killed in the middle of a job: all jobs are answered, each once.
func TestKilledWorker(t *testing.T) {
	url, s := newQueue(t)
	const count = 24
	var ids []string
	half := func(from, to int) {
		for i := from; i < to; i++ {
			ids = append(ids, fmt.Sprintf("square-%d", i))
			submit(t, s, ids[i], `function handler(event) { return event.n * event.n; }`, fmt.Sprintf(`{"n":%d}`, i))
		}
	}
	half(0, count/2)
	submit(t, s, "interrupted", script(t, "interrupted"), "")
	victim := startWorker(t, "victim", "--url", url, "--sandboxes", "1")
	begins(t, victim, "interrupted")
	half(count/2, count)
	submit(t, s, "square-0", `function handler() { return "another job of this name"; }`, "")
	submit(t, s, "interrupted", `function handler() { return "another job of this name"; }`, "")
	other := startWorker(t, "other", "--url", url, "--sandboxes", "1")
	begins(t, other, "square-12")

	victim.kill()
	assert.ErrorContains(t, victim.err, "killed")
	answers := answersTo(t, s, append(ids, "interrupted")...)
	for i, id := range ids {
		assert.Equal(t, fmt.Sprint(i*i), string(answers[id].Result), id)
		assert.Empty(t, answers[id].Error, id)
	}
	assert.Equal(t, answer{ID: "interrupted", Result: []byte(`"back again"`), Attempts: 2, Worker: "other"}, answers["interrupted"])
	assert.Zero(t, messages(t, s, deadStream))
	assert.NoError(t, other.drain())
}

// A worker that dies when it has answered a job, and has not acknowledged it, has answered it.
func TestKilledBeforeItAcknowledges(t *testing.T) {
	url, s := newQueue(t)
	submit(t, s, "good", `import * as job from "job"; function handler() { return job.attempt(); }`, "")
	dies(t, url, "good")
	submit(t, s, "bad", "", "")
	dies(t, url, "bad")
	require.Equal(t, 2, messages(t, s, jobsStream), "nothing is acknowledged")
	require.Equal(t, 2, messages(t, s, answersStream))

	next := workHere(t, settingsFor(url, "next"))
	answers := answersTo(t, s, "good", "bad")
	next.drain()
	for _, id := range []string{"good", "bad"} {
		assert.Equal(t, "dies", answers[id].Worker)
		assert.Equal(t, 1, answers[id].Attempts)
		found, _, _ := next.look([]string{"job was answered before", "job=" + id + " ", "by=dies"})
		assert.True(t, found, id)
		ran, _, _ := next.look([]string{"job begins", "job=" + id + " "})
		assert.False(t, ran, id)
	}
	assert.Equal(t, "1", string(answers["good"].Result))
	assert.Equal(t, 1, messages(t, s, deadStream), "the dead letter was written before the worker died, and only then")
}

// dies has a process take the next job, and die before it acknowledges it.
func dies(t *testing.T, url, id string) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	child := exec.Command(program, url)
	child.Env = append(os.Environ(), roleVariable+"=dies before it acknowledges")
	output, err := child.CombinedOutput()
	require.EqualError(t, err, "signal: killed", "%s", output)
	require.Contains(t, string(output), "dies instead of acknowledging "+id)
}

func dieBeforeAcknowledging(url string) {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	conn, err := connection{url: url}.connect("dies", newLog(os.Stdout))
	check(err)
	settings := settingsFor(url, "dies")
	s, err := openStreams(context.Background(), conn, settings.streams)
	check(err)
	pool, err := newSandboxes(context.Background(), settings.sandboxes)
	check(err)
	w := &worker{settings.name, s, pool, settings.retries, settings.grace, newLog(os.Stdout)}
	msg, err := nextMessage(s)
	check(err)
	w.newDelivery(fatal{msg}).handle(context.Background())
}

// fatal is a message that kills who acknowledges it.
type fatal struct{ jetstream.Msg }

func (f fatal) DoubleAck(context.Context) error {
	fmt.Println("dies instead of acknowledging", strings.TrimPrefix(f.Subject(), jobsPrefix))
	check := syscall.Kill(os.Getpid(), syscall.SIGKILL)
	panic(check)
}
