package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The process that TestSignal starts is this program.
func TestMain(m *testing.M) {
	if os.Getenv("HTTPFUNCTIONS_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// generous are limits that no test means to reach.
var generous = limits{
	sandboxes: 2, perFunction: 2, functions: 4,
	cpuTime: time.Minute, time: time.Minute, loadTime: time.Minute,
}

// running is a server that runs.
type running struct {
	url      string
	server   *server
	shutdown func(grace time.Duration) // begins
	ended    chan error
}

func start(t *testing.T, limits limits) *running {
	t.Helper()
	server, err := newServer(t.Context(), limits)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.serve(listener) }()
	r := &running{url: "http://" + listener.Addr().String(), server: server, ended: make(chan error, 1)}
	r.shutdown = func(grace time.Duration) { go func() { r.ended <- server.stop(grace) }() }
	t.Cleanup(func() {
		assert.NoError(t, server.stop(0))
		assert.NoError(t, <-served)
	})
	return r
}

// do sends a request, and gives the status and the body.
func (r *running) do(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, strings.TrimSpace(string(text))
}

// put makes a function, which has to succeed.
func (r *running) put(t *testing.T, name, script string) {
	t.Helper()
	status, body := r.do(t, "PUT", "/functions/"+name, script)
	require.Contains(t, []int{http.StatusCreated, http.StatusOK}, status, body)
}

// post calls a function in the background.
func (r *running) post(t *testing.T, name, event string) chan answered {
	answer := make(chan answered, 1)
	go func() {
		status, body := r.do(t, "POST", "/functions/"+name, event)
		answer <- answered{status, body}
	}()
	return answer
}

type answered struct {
	status int
	body   string
}

// hasInUse waits until so many sandboxes are in use.
func (r *running) hasInUse(t *testing.T, sandboxes int) {
	t.Helper()
	require.Eventually(t, func() bool { return r.server.pool.Stats().InUse == sandboxes }, time.Minute, 10*time.Millisecond)
}

// code is the code in the body of an error.
func code(t *testing.T, body string) string {
	t.Helper()
	var answer struct{ Error failure }
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	assert.NotEmpty(t, answer.Error.Message)
	return answer.Error.Code
}

func TestFunctions(t *testing.T) {
	r := start(t, generous)

	status, body := r.do(t, "PUT", "/functions/count", `let n = 0; function handler(by) { return n += by; }`)
	assert.Equal(t, http.StatusCreated, status, body)
	assert.Regexp(t, `^{"name":"count","version":"[0-9a-f]{64}"}$`, body)
	for range 3 { // in a clean guest each
		status, body = r.do(t, "POST", "/functions/count", `2`)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, `2`, body)
	}

	// A new version takes the place of the old one, unless it does not load.
	status, body = r.do(t, "PUT", "/functions/count", "function handler(by) {\n  return 1 +* by;\n}")
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.JSONEq(t, `{"error":{"code":"exception","message":"unexpected token in expression: '*'","stack":"    at ./count.js:2:9\n"}}`, body)
	_, body = r.do(t, "POST", "/functions/count", `3`)
	assert.Equal(t, `3`, body)
	status, _ = r.do(t, "PUT", "/functions/count", `function handler(by) { return -by; }`)
	assert.Equal(t, http.StatusOK, status)
	_, body = r.do(t, "POST", "/functions/count", `3`)
	assert.Equal(t, `-3`, body)

	_, body = r.do(t, "GET", "/metrics", "")
	assert.Regexp(t, `(?m)^hyperlight_pool_acquired_total{[^}]*hyperlight_pool_name="functions"[^}]*} [1-9]`, body)
	assert.Regexp(t, `(?m)^hyperlight_event_handler_calls_with_gc_microseconds_count{[^}]*event_handler_name="count"[^}]*} [1-9]`, body)

	status, body = r.do(t, "DELETE", "/functions/count", "")
	assert.Equal(t, http.StatusNoContent, status, body)
	status, body = r.do(t, "POST", "/functions/count", `3`)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "no_function", code(t, body))
}

func TestFailures(t *testing.T) {
	limits := generous
	limits.cpuTime = time.Second
	limits.loadTime = 2 * time.Second
	r := start(t, limits)
	r.put(t, "try", `function handler(what) {
		switch (what) {
			case "loop": while (true) {}
			case "fill": return new Uint8Array(1 << 30).length;
			case "throw": throw new RangeError("too far");
			case "wait": return new Promise(() => {});
			case "nothing": return;
		}
		return what;
	}`)
	long := `"` + strings.Repeat("x", maxEventBytes) + `"`
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"endless loop", "POST", "/functions/try", `"loop"`, http.StatusGatewayTimeout, "timeout"},
		{"memory", "POST", "/functions/try", `"fill"`, http.StatusBadGateway, "out_of_memory"},
		{"exception", "POST", "/functions/try", `"throw"`, http.StatusBadGateway, "exception"},
		{"endless promise", "POST", "/functions/try", `"wait"`, http.StatusBadGateway, "function_failed"},
		{"no result", "POST", "/functions/try", `"nothing"`, http.StatusNoContent, ""},
		{"no JSON", "POST", "/functions/try", `{`, http.StatusBadRequest, "invalid_json"},
		{"long event", "POST", "/functions/try", long, http.StatusRequestEntityTooLarge, "too_large"},
		{"unknown function", "POST", "/functions/other", `1`, http.StatusNotFound, "no_function"},
		{"unknown function to delete", "DELETE", "/functions/other", "", http.StatusNotFound, "no_function"},
		{"bad name", "PUT", "/functions/Not%20this", `function handler() {}`, http.StatusBadRequest, "invalid_name"},
		{"long script", "PUT", "/functions/long", long, http.StatusRequestEntityTooLarge, "too_large"},
		{"endless loop outside", "PUT", "/functions/loop", "while (true) {}\nexport function handler() {}", http.StatusUnprocessableEntity, "timeout"},
		{"no handler", "PUT", "/functions/none", `export const x = 1;`, http.StatusUnprocessableEntity, "function_failed"},
		{"all is well", "POST", "/functions/try", `"still here"`, http.StatusOK, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := r.do(t, test.method, test.path, test.body)
			assert.Equal(t, test.status, status, body)
			if test.code != "" {
				assert.Equal(t, test.code, code(t, body))
			}
		})
	}
}

// A function that hangs leaves room for others.
func TestLimitOfAFunction(t *testing.T) {
	limits := generous
	limits.perFunction = 1
	limits.functions = 2
	r := start(t, limits)
	r.put(t, "loop", `function handler() { while (true) {} }`)
	r.put(t, "quick", `function handler() { return "quick"; }`)
	status, body := r.do(t, "PUT", "/functions/one-more", `function handler() {}`)
	assert.Equal(t, http.StatusInsufficientStorage, status)
	assert.Equal(t, "too_many_functions", code(t, body))

	loops := r.post(t, "loop", `1`)
	r.hasInUse(t, 1)
	status, body = r.do(t, "POST", "/functions/loop", `1`)
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.Equal(t, "too_many_requests", code(t, body))
	status, body = r.do(t, "POST", "/functions/quick", `1`)
	assert.Equal(t, http.StatusOK, status, body)

	// Shutdown ends what does not end by itself.
	r.shutdown(100 * time.Millisecond)
	answer := <-loops
	assert.Equal(t, http.StatusServiceUnavailable, answer.status)
	assert.Equal(t, "shutting_down", code(t, answer.body))
	require.NoError(t, <-r.ended)
}

// What ends in time is answered, and nobody else is let in.
func TestGracefulShutdown(t *testing.T) {
	r := start(t, generous)
	r.put(t, "slow", `function handler(ms) { for (const end = Date.now() + ms; Date.now() < end; ); return "done"; }`)
	slow := r.post(t, "slow", `2000`)
	r.hasInUse(t, 1)
	r.shutdown(time.Minute)
	assert.Equal(t, answered{http.StatusOK, `"done"`}, <-slow)
	require.NoError(t, <-r.ended)
	_, err := http.Get(r.url)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

// The program itself, and the signal that ends it.
func TestSignal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	process := exec.CommandContext(ctx, os.Args[0], "-listen", "127.0.0.1:0", "-sandboxes", "1")
	process.Env = append(os.Environ(), "HTTPFUNCTIONS_RUN_MAIN=1")
	stderr, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	log := bufio.NewReader(stderr)
	line, err := log.ReadString('\n')
	require.NoError(t, err)
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(line)
	require.NotEmpty(t, url, line)

	r := &running{url: url}
	r.put(t, "hello", `function handler(name) { console.log("called"); return "Hello, " + name; }`)
	status, body := r.do(t, "POST", "/functions/hello", `"World"`)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `"Hello, World"`, body)
	require.NoError(t, process.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(log)
	require.NoError(t, err)
	require.NoError(t, process.Wait())
	assert.Regexp(t, `(?s)printed function=hello text="called\\n".*shutting down`, string(rest))
}
