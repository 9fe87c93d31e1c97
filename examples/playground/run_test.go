package main

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One visitor, who does what visitors do: whatever happens to a guest, the next run has one.
func TestRun(t *testing.T) {
	p := start(t, nil)
	v := p.visitor(t)

	t.Run("result", func(t *testing.T) {
		r := v.run(`function handler(event) { console.log("hi", event.name); return { n: 12345678901234567890, hi: event.name } }`,
			`{"name": "Ada"}`, patient)
		require.Nil(t, r.failure)
		assert.JSONEq(t, `{"n": 12345678901234567000, "hi": "Ada"}`, r.result)
		assert.Contains(t, r.result, "\n  \"hi\": \"Ada\"", "indented")
		assert.Equal(t, "hi Ada\n", r.printed)
		assert.Equal(t, []string{"booting", "loading", "running"}, r.phases)
		assert.Positive(t, r.stats.Boot)
		assert.Positive(t, r.stats.Load)
		assert.Positive(t, r.stats.WallClock)
		assert.NotNil(t, r.stats.CPUTime)
		assert.Equal(t, state{Status: "ready", Runs: 1}, r.stats.State)
	})

	t.Run("state stays", func(t *testing.T) {
		assert.Equal(t, "1", v.must(counter, "{}"))
		assert.Equal(t, "2", v.must(counter, "{}"))
		r := v.run(counter, "{}", patient)
		assert.Equal(t, "3", r.result)
		assert.Equal(t, []string{"running"}, r.phases)
		assert.Equal(t, 3, r.stats.State.Runs)
		assert.Equal(t, "1", v.must(counter+" // other code", "{}"))
	})

	t.Run("console before the end", func(t *testing.T) {
		r := v.begin(t.Context(), `function handler() { console.log("here I am"); while (true) {} }`, "{}", patient)
		assert.Equal(t, "here I am\n", r.until("print").Text)
		response := v.post(t.Context(), "/stop", "")
		response.Body.Close()
		assert.Equal(t, http.StatusNoContent, response.StatusCode)
		rest := r.rest()
		require.NotNil(t, rest.failure)
		assert.Equal(t, "stopped", rest.failure.Kind)
		assert.Equal(t, "Stopped by you", rest.failure.Title)
		assert.Equal(t, "poisoned", rest.stats.State.Status)
		assert.Equal(t, "1", v.must(counter, "{}"))
	})

	t.Run("exception", func(t *testing.T) {
		r := v.run("function deep() {\n  throw new TypeError('no')\n}\nfunction handler() {\n  deep()\n}", "{}", patient)
		require.NotNil(t, r.failure)
		assert.Equal(t, "exception", r.failure.Kind)
		assert.Contains(t, r.failure.Message, "no")
		require.GreaterOrEqual(t, len(r.failure.Frames), 2)
		for i, want := range []frame{{Function: "deep", Line: 2}, {Function: "handler", Line: 5}} {
			at := r.failure.Frames[i]
			assert.Equal(t, want.Function, at.Function)
			assert.Equal(t, want.Line, at.Line)
			assert.Positive(t, at.Column)
			assert.True(t, at.Mine)
		}
		assert.Equal(t, "ready", r.stats.State.Status)
	})

	t.Run("endless", func(t *testing.T) {
		for name, test := range map[string]struct {
			source, title string
			limits        map[string]int
		}{
			"wall clock": {"function handler() { while (true) {} }", "Stopped after 300 ms by the wall clock", map[string]int{"wallClock": 300, "cpuTime": 60_000}},
			"CPU time":   {"function handler() { while (true) {} }", "Stopped after 100 ms of CPU time", map[string]int{"wallClock": 60_000, "cpuTime": 100}},
			"top level":  {counter + "; while (true) {}", "Stopped after 300 ms: the top-level code did not end", map[string]int{"wallClock": 300, "cpuTime": 60_000}},
		} {
			t.Run(name, func(t *testing.T) {
				r := v.run(test.source, "{}", test.limits)
				require.NotNil(t, r.failure)
				assert.Equal(t, "stopped", r.failure.Kind)
				assert.Equal(t, test.title, r.failure.Title)
				assert.Equal(t, "1", v.must(counter, "{}"))
			})
		}
	})

	t.Run("memory", func(t *testing.T) {
		r := v.run("function handler() { const all = []; while (true) all.push(new Uint8Array(100_000)) }", "{}", patient)
		require.NotNil(t, r.failure)
		assert.Equal(t, "memory", r.failure.Kind)
		assert.Equal(t, "1", v.must(counter, "{}"))
	})

	t.Run("recursion", func(t *testing.T) {
		r := v.run("function handler() { return handler() + 1 }", "{}", patient)
		require.NotNil(t, r.failure)
		assert.Contains(t, []string{"memory", "exception", "guest"}, r.failure.Kind)
		assert.Equal(t, "1", v.must(counter, "{}"))
	})

	t.Run("what people get wrong", func(t *testing.T) {
		for name, test := range map[string]struct{ source, event, kind, title string }{
			"event":      {counter, "{", "input", "The event is not JSON"},
			"no handler": {"const x = 1", "{}", "guest", "There is no function named handler"},
			"a number":   {"const handler = 1", "{}", "guest", "There is no function named handler"},
			"nothing":    {"function handler() {}", "{}", "guest", "The handler returned nothing"},
			"promise":    {"async function handler() { await new Promise(() => {}) }", "{}", "guest", "The handler waits for a promise that nothing will settle"},
			"too big":    {"function handler() { return 'x'.repeat(1e6) }", "{}", "guest", "The result is too big"},
			"no Error":   {"function handler() { throw 'text' }", "{}", "exception", "Uncaught string"},
			"syntax":     {"function handler( {", "{}", "exception", "Uncaught exception"},
		} {
			t.Run(name, func(t *testing.T) {
				r := v.run(test.source, test.event, patient)
				require.NotNil(t, r.failure)
				assert.Equal(t, test.kind, r.failure.Kind)
				assert.Equal(t, test.title, r.failure.Title)
			})
		}
		assert.Equal(t, "1", v.must(counter, "{}"))
	})

	t.Run("prints too much", func(t *testing.T) {
		r := v.run("function handler() { for (let i = 0; i < 520; i++) console.log('x'); return 0 }", "{}",
			map[string]int{"print": 1, "wallClock": 60_000, "cpuTime": 60_000})
		require.Nil(t, r.failure)
		assert.Len(t, r.printed, 1<<10)
		assert.Equal(t, 1040-1<<10, r.stats.PrintDropped)
	})

	t.Run("the store is bounded", func(t *testing.T) {
		r := v.must(`import * as store from "store"
			const failed = (f) => { try { f(); return "" } catch (e) { return e.message } }
			function handler() {
				return [
					failed(() => store.set("k".repeat(65), 1)),
					failed(() => store.set("k", "v".repeat(1024))),
					failed(() => { for (let i = 0; i < 33; i++) store.set("key " + i, i) }),
					store.keys().length, store.get("key 31"), store.get("key 32"),
				]
			}`, "{}")
		assert.Contains(t, r, "a key has at most 64 bytes")
		assert.Contains(t, r, "a value has at most 1024 bytes")
		assert.Contains(t, r, "the store has room for 32 keys")
		assert.Regexp(t, `32,\s+31,\s+null`, r)
	})

	t.Run("the largest code and event", func(t *testing.T) {
		r := v.run("function handler(e) { return e.length } //"+filler(sourceBytes-42), `"`+filler(eventBytes-2)+`"`, patient)
		require.Nil(t, r.failure)
		assert.Equal(t, "131070", r.result)
	})

	assert.Len(t, p.server.sessions.byID, 1, "all of it in one session")
	assert.Empty(t, p.log.String(), "nothing was the host's fault")
}

// filler needs the most escapes.
func filler(bytes int) string {
	text := make([]byte, bytes)
	for i := range text {
		text[i] = '/'
	}
	return string(text)
}

// Guests may take longer than a request may take to be read, or an answer to be written.
func TestRunOutlastsDeadlines(t *testing.T) {
	p := start(t, nil, func(s *server) {
		s.http.ReadTimeout, s.http.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	})
	v := p.visitor(t)
	r := v.begin(t.Context(), "function handler() { console.log('on'); while (true) {} }", "{}",
		map[string]int{"wallClock": 3000, "cpuTime": 60_000})
	rest := r.rest()
	require.NotNil(t, rest.failure)
	assert.Equal(t, "Stopped after 3000 ms by the wall clock", rest.failure.Title)
	require.NotNil(t, rest.stats)
}

// Who closes the tab, or reads nothing, keeps nobody from running.
func TestVisitorGoes(t *testing.T) {
	p := start(t, func(s *settings) { s.concurrent, s.patience, s.slowReader = 1, 30*time.Second, time.Second })

	gone := p.visitor(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone.begin(ctx, "function handler() { console.log('on'); while (true) {} }", "{}", patient).until("print")
	cancel()

	next := p.visitor(t)
	r := next.run(counter, "{}", map[string]int{"wallClock": 30_000})
	require.Nil(t, r.failure)
	assert.Equal(t, "1", r.result)

	// Connections without buffers: what is not read is not written.
	client, closeClient := p.unbuffered(t)
	defer closeClient()
	_, err := client.Write([]byte(requestText(bodyOf("function handler() { while (true) console.log('on and on') }", "{}", patient))))
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return p.server.busy() == 1 }, time.Minute, 10*time.Millisecond)
	assert.Eventually(t, func() bool { return p.server.busy() == 0 }, 50*time.Second, 50*time.Millisecond, "stopped long before its limits")
	assert.Equal(t, "2", next.must(counter, "{}"))
}
