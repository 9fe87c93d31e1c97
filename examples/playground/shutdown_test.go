package main

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A run that ends in time is let; one that does not is stopped; and nobody begins another.
func TestShutdown(t *testing.T) {
	p := start(t, func(s *settings) { s.shutdown = 3 * time.Second })
	short, long := p.visitor(t), p.visitor(t)
	long.must(counter, "{}")
	short.must(counter, "{}")
	runsLong := long.begin(t.Context(), endless, "{}", patient)
	runsShort := short.begin(t.Context(), endless, "{}", map[string]int{"wallClock": 1000})
	runsLong.until("print")
	runsShort.until("print")
	p.shutdown()
	assert.Equal(t, "Stopped after 1000 ms by the wall clock", runsShort.rest().failure.Title)
	rest := runsLong.rest()
	require.NotNil(t, rest.failure)
	assert.Equal(t, "Stopped: the playground shuts down", rest.failure.Title)
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		require.FailNow(t, "it does not end")
	}
	_, err := http.Get(p.url)
	assert.Error(t, err, "nobody listens any more")
}

// The whole program, as an operator runs it.
func TestSignal(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, executable, "--listen", "127.0.0.1:0")
	program.Env = append(os.Environ(), "PLAYGROUND_RUN_MAIN=1")
	output, err := program.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	lines := bufio.NewScanner(output)
	require.True(t, lines.Scan())
	url := regexp.MustCompile(`url=(\S+)`).FindStringSubmatch(lines.Text())
	require.NotNil(t, url, lines.Text())
	response, err := http.Get(url[1] + "/healthz")
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	assert.True(t, lines.Scan())
	assert.Contains(t, lines.Text(), "shutting down")
	assert.NoError(t, program.Wait())
}
