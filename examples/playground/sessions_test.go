package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const endless = "function handler() { console.log('on'); while (true) {} }"

// What a visitor's code keeps, in the guest and in Go, is nobody else's.
func TestVisitorsAreApart(t *testing.T) {
	p := start(t, nil)
	keep := `import * as store from "store"
		let mine = []
		function handler(word) { mine.push(word); store.set(word, 1); return [mine, store.keys()] }`
	a, b := p.visitor(t), p.visitor(t)
	assert.JSONEq(t, `[["a"], ["a"]]`, a.must(keep, `"a"`))
	assert.JSONEq(t, `[["b"], ["b"]]`, b.must(keep, `"b"`))
	assert.JSONEq(t, `[["a", "c"], ["a", "c"]]`, a.must(keep, `"c"`))
	assert.NotEqual(t, a.session, b.session)
	assert.GreaterOrEqual(t, len(a.session), 26, "128 random bits")
	a.state("/snapshot")
	none := b.state("/restore")
	require.NotNil(t, none.Error)
	assert.Equal(t, "There is no snapshot: take one first", none.Error.Title)

	// One does one thing at a time, and b's Stop is not a's.
	r := a.begin(t.Context(), endless, "{}", patient)
	r.until("print")
	status, text := a.refused("/run", bodyOf(counter, "{}", nil))
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, text, "this session is busy")
	b.post(t.Context(), "/stop", "").Body.Close()
	assert.Equal(t, "1", b.must(counter, "{}"), "while a's guest runs")
	assert.Equal(t, 1, p.server.busy())

	// Who gives it back while it runs ends the run.
	a.post(t.Context(), "/reset", "").Body.Close()
	rest := r.rest()
	require.NotNil(t, rest.failure)
	assert.Equal(t, "Stopped by you", rest.failure.Title)
	status, _ = a.refused("/stop", "")
	assert.Equal(t, http.StatusGone, status)
}

func TestSessionExpires(t *testing.T) {
	p := start(t, func(s *settings) { s.idle = 500 * time.Millisecond; s.sessions = 1 })
	v := p.visitor(t)
	r := v.begin(t.Context(), endless, "{}", map[string]int{"wallClock": 2000, "cpuTime": 60_000})
	r.until("print")
	p.server.sessions.mu.Lock()
	box := p.server.sessions.byID[v.session].sandbox
	p.server.sessions.mu.Unlock()
	rest := r.rest()
	assert.Equal(t, "Stopped after 2000 ms by the wall clock", rest.failure.Title, "who runs is not idle")
	assert.Eventually(t, func() bool { return !p.server.sessions.has(v.session) }, 30*time.Second, 10*time.Millisecond)
	p.server.sessions.mu.Lock()
	assert.Nil(t, box.loaded, "closed")
	p.server.sessions.mu.Unlock()
	status, _ := v.refused("/restore", "")
	assert.Equal(t, http.StatusGone, status)

	old := v.session
	assert.Equal(t, "1", v.must(counter, "{}"), "there is room again")
	assert.NotEqual(t, old, v.session, "nobody chooses the name of a session")
}

// None of these needs more than one guest.
func TestTooMany(t *testing.T) {
	t.Run("sessions", func(t *testing.T) {
		p := start(t, func(s *settings) { s.sessions, s.perAddress = 1, 1 })
		p.visitor(t).begin(t.Context(), "function handler() { while (true) {} }", "{}", patient).until("phase")
		status, text := p.visitor(t).refused("/run", bodyOf(counter, "{}", nil))
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, refuseFull.text, text)
		p.server.sessions.close()
		status, text = p.visitor(t).refused("/run", bodyOf(counter, "{}", nil))
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, refuseShutdown.text, text)
	})
	t.Run("from one address", func(t *testing.T) {
		p := start(t, func(s *settings) { s.perAddress = 1 })
		_, _, done, err := p.server.sessions.use(t.Context(), "", "127.0.0.1")
		require.NoError(t, err)
		defer done()
		status, text := p.visitor(t).refused("/run", bodyOf(counter, "{}", nil))
		assert.Equal(t, http.StatusTooManyRequests, status)
		assert.Equal(t, refuseAddressFull.text, text)
	})
	t.Run("guests at a time", func(t *testing.T) {
		p := start(t, func(s *settings) { s.concurrent, s.patience = 1, 100*time.Millisecond })
		end, err := p.server.turns.take(t.Context(), func() {})
		require.NoError(t, err)
		r := p.visitor(t).run(counter, "{}", nil)
		assert.Equal(t, []string{"waiting"}, r.phases)
		require.NotNil(t, r.failure)
		assert.Equal(t, "Too many others run code at the moment: try again", r.failure.Title)

		// Who waits can stop, too.
		p.server.turns.patience = time.Minute
		v := p.visitor(t)
		waits := v.begin(t.Context(), counter, "{}", nil)
		waits.until("phase")
		v.post(t.Context(), "/stop", "").Body.Close()
		assert.Equal(t, "Stopped by you", waits.rest().failure.Title)
		end()
	})
	t.Run("requests", func(t *testing.T) {
		p := start(t, func(s *settings) { s.rate, s.burst = 0.001, 3 })
		for range 3 {
			status, _ := p.visitor(t).refused("/stop", "")
			assert.Equal(t, http.StatusGone, status)
		}
		response := p.visitor(t).post(t.Context(), "/stop", "")
		response.Body.Close()
		assert.Equal(t, http.StatusTooManyRequests, response.StatusCode)
		assert.Equal(t, "5", response.Header.Get("Retry-After"))
	})
}
