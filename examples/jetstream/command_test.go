package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the program does without arguments.
func TestDemo(t *testing.T) {
	output, err := program(t)
	t.Log(output)
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^primes-8 +1 +worker-\d +{"upTo":800,"primes":139}$`, output)
	assert.Regexp(t, `(?m)^interrupted +2 +worker-\d +"back again"$`, output)
	assert.Regexp(t, `(?m)^endless +3 +worker-\d +dead: stopped by its limit: wall-clock$`, output)
	assert.Regexp(t, `(?m)^poison +3 +worker-\d +dead: Uncaught cannot read property 'items' of null `, output)
}

func TestSubmit(t *testing.T) {
	url, _ := newQueue(t)
	workHere(t, settingsFor(url, "worker"))
	file := filepath.Join(t.TempDir(), "job.js")
	write := func(script string) { require.NoError(t, os.WriteFile(file, []byte(script), 0o644)) }
	write(`function handler(event) { if (event.fail) throw new Error("as told"); return event; }`)

	output, err := program(t, "submit", "--url", url, file, `{"a":1}`)
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}`+"\n", output)

	output, err = program(t, "submit", "--url", url, "--id", "mine", "--wait=false", file, `{"first":true}`)
	require.NoError(t, err)
	assert.Equal(t, "mine\n", output)
	output, err = program(t, "submit", "--url", url, "--id", "mine", file, `{"first":false}`)
	require.NoError(t, err)
	assert.Equal(t, `{"first":true}`+"\n", output)

	_, err = program(t, "submit", "--url", url, "--id", "fails", file, `{"fail":true}`)
	assert.ErrorContains(t, err, "job fails failed 3 times, at last at worker: Uncaught as told\n    at handler (./job.js:1:")
	output, err = program(t, "dead", "--url", url)
	require.NoError(t, err)
	assert.Regexp(t, `^fails +3 attempts +Uncaught as told at handler \(./job.js:1:\d+\)\n$`, output)
}

// None of these gets as far as a server, or a guest.
func TestWrongUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "job.js")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	nowhere := "nats://" + freeAddress(t)
	for _, it := range []struct {
		args []string
		want string
	}{
		{[]string{"wrok"}, `unknown command "wrok"`},
		{[]string{"work", "--attempts", "0"}, "--attempts must be at least 1"},
		{[]string{"work", "--backoff", "2m"}, "--backoff-max no less than --backoff"},
		{[]string{"work", "--sandboxes", "0"}, "--sandboxes must be at least 1"},
		{[]string{"work", "--time", "-1s"}, "--time and --cpu must not be negative"},
		{[]string{"work", "--ack-wait", "1ms"}, "--ack-wait must be at least 1s"},
		{[]string{"work", "--grace", "-1s"}, "--grace must not be negative"},
		{[]string{"work", "--listen", "here"}, `"here" is no address; write one like 127.0.0.1:4222`},
		{[]string{"work", "--url", nowhere}, "no NATS server at " + nowhere},
		{[]string{"submit", file, "{"}, "EVENT is not JSON: {"},
		{[]string{"submit", file + "x"}, "no such file"},
	} {
		_, err := program(t, it.args...)
		assert.ErrorContains(t, err, it.want, "%q", it.args)
	}
}

// A client makes no streams: it does not know what they should be like.
func TestSubmitBeforeAnyWorker(t *testing.T) {
	own, err := startServer("127.0.0.1:0", "", newLog(t.Output()))
	require.NoError(t, err)
	defer own.stop()
	file := filepath.Join(t.TempDir(), "job.js")
	require.NoError(t, os.WriteFile(file, []byte("text"), 0o644))
	for _, args := range [][]string{{"submit", file}, {"dead"}} {
		_, err := program(t, append(args, "--url", own.url())...)
		assert.ErrorContains(t, err, "has no queue of jobs; the first worker makes one, so start it before")
	}
}

func TestServerNeedsItsPort(t *testing.T) {
	url, _ := newQueue(t)
	address := url[len("nats://"):]
	_, err := startServer(address, "", newLog(t.Output()))
	assert.ErrorContains(t, err, "address already in use")
	assert.ErrorContains(t, err, address)
}

func TestIDs(t *testing.T) {
	_, s := newQueue(t)
	for _, id := range []string{"", "a.b", "a b", "*", ">", "ä"} {
		assert.ErrorContains(t, s.submit(t.Context(), id, job{Script: "text"}), "is not made of 1 to 128 letters, digits, - and _", id)
	}
	big := job{Script: strings.Repeat("x", maxMessage)}
	assert.ErrorContains(t, s.submit(t.Context(), "big", big), "message size exceeds maximum allowed")
}

func TestRetryDelays(t *testing.T) {
	r := retries{attempts: 9, first: time.Second, most: 5 * time.Second}
	for attempt, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 4: 5 * time.Second, 900: 5 * time.Second} {
		assert.Equal(t, want, r.delay(attempt), attempt)
	}
}

func TestLimits(t *testing.T) {
	second, minute := duration(time.Second), duration(time.Minute)
	assert.Equal(t, limits{second, second}, limits{second, 0}.within(limits{minute, second}))
	assert.Equal(t, limits{second, minute}, limits{minute, minute}.within(limits{second, 0}))
	assert.Empty(t, limits{}.within(limits{}).monitors())
}
