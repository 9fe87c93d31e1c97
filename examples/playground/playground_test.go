package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The process that TestSignal starts is this program.
func TestMain(m *testing.M) {
	if os.Getenv("PLAYGROUND_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// playground is a server that runs.
type playground struct {
	url      string
	server   *server
	log      *syncBuffer
	shutdown func()        // begins
	ended    chan struct{} // closed when it has
}

// start serves with limits that no test means to reach, changed by change, and a server that prepare has changed.
func start(t *testing.T, change func(*settings), prepare ...func(*server)) *playground {
	t.Helper()
	s := defaultSettings()
	s.perAddress, s.rate, s.burst, s.patience, s.concurrent = s.sessions, 1000, 1000, time.Minute, 2
	s.most.wallClock, s.most.cpuTime = time.Minute, time.Minute
	if change != nil {
		change(&s)
	}
	require.NoError(t, s.check())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	log := &syncBuffer{}
	p := &playground{
		url:    "http://" + listener.Addr().String(),
		server: newServer(s, slog.New(slog.NewTextHandler(log, nil))),
		log:    log,
		ended:  make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(t.Context())
	p.shutdown = cancel
	for _, prepare := range prepare {
		prepare(p.server)
	}
	go func() {
		defer close(p.ended)
		assert.NoError(t, p.server.serve(ctx, listener))
	}()
	t.Cleanup(func() {
		cancel()
		<-p.ended
		assert.Empty(t, p.server.sessions.byID, "closed with the server")
	})
	return p
}

type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// visitor is a tab.
type visitor struct {
	t       *testing.T
	url     string
	session string
}

func (p *playground) visitor(t *testing.T) *visitor { return &visitor{t: t, url: p.url} }

// post sends a body, if there is one. What is read of the answer ends with ctx.
func (v *visitor) post(ctx context.Context, path, body string) *http.Response {
	v.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+path, bytes.NewBufferString(body))
	require.NoError(v.t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if v.session != "" {
		request.Header.Set(sessionHeader, v.session)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(v.t, err)
	return response
}

// refused is the status and the text of a request that is refused.
func (v *visitor) refused(path, body string) (int, string) {
	v.t.Helper()
	response := v.post(v.t.Context(), path, body)
	defer response.Body.Close()
	var answer struct{ Error string }
	assert.NoError(v.t, json.NewDecoder(response.Body).Decode(&answer))
	return response.StatusCode, answer.Error
}

// bodyOf is what a page sends. Limits that are not named have their defaults.
func bodyOf(source, event string, l map[string]int) string {
	body, err := json.Marshal(map[string]any{"source": source, "event": event, "limits": l})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// patient are limits that no run means to reach.
var patient = map[string]int{"wallClock": 60_000, "cpuTime": 60_000}

// running is a run whose messages are read one by one.
type running struct {
	t        *testing.T
	messages *bufio.Scanner
	body     io.Closer
}

func (v *visitor) begin(ctx context.Context, source, event string, l map[string]int) *running {
	v.t.Helper()
	response := v.post(ctx, "/run", bodyOf(source, event, l))
	if !assert.Equal(v.t, http.StatusOK, response.StatusCode) {
		text, _ := io.ReadAll(response.Body)
		require.FailNow(v.t, string(text))
	}
	assert.Equal(v.t, "application/x-ndjson", response.Header.Get("Content-Type"))
	r := &running{v.t, bufio.NewScanner(response.Body), response.Body}
	r.messages.Buffer(nil, 8<<20)
	m, ok := r.next()
	require.True(v.t, ok)
	require.Equal(v.t, "session", m.Type)
	assert.Equal(v.t, v.session != m.Session.ID, m.Session.New)
	v.session = m.Session.ID
	return r
}

func (r *running) next() (message, bool) {
	r.t.Helper()
	if !r.messages.Scan() {
		return message{}, false
	}
	var m message
	require.NoError(r.t, json.Unmarshal(r.messages.Bytes(), &m))
	return m, true
}

// until reads up to the first message of that type.
func (r *running) until(kind string) message {
	r.t.Helper()
	for {
		m, ok := r.next()
		require.True(r.t, ok, "the run ended before a message of type %s", kind)
		if m.Type == kind {
			return m
		}
	}
}

// ran is what came of a run.
type ran struct {
	printed string
	phases  []string
	result  string
	failure *failure
	stats   *stats
}

func (r *running) rest() ran {
	r.t.Helper()
	defer r.body.Close()
	var all ran
	for {
		m, ok := r.next()
		if !ok {
			return all
		}
		switch m.Type {
		case "print":
			all.printed += m.Text
		case "phase":
			all.phases = append(all.phases, m.Text)
		case "result":
			all.result = m.Text
		case "failure":
			all.failure = m.Failure
		case "stats":
			all.stats = m.Stats
		}
	}
}

func (v *visitor) run(source, event string, l map[string]int) ran {
	v.t.Helper()
	return v.begin(v.t.Context(), source, event, l).rest()
}

// must gives the result of a run that has to have one.
func (v *visitor) must(source, event string) string {
	v.t.Helper()
	r := v.run(source, event, patient)
	require.Nil(v.t, r.failure)
	return r.result
}

// state is what a snapshot or a restore answers.
func (v *visitor) state(path string) changed {
	v.t.Helper()
	response := v.post(v.t.Context(), path, "")
	defer response.Body.Close()
	require.Equal(v.t, http.StatusOK, response.StatusCode)
	var answer changed
	require.NoError(v.t, json.NewDecoder(response.Body).Decode(&answer))
	return answer
}

// counter counts its runs in the guest.
const counter = `let runs = 0; function handler() { return ++runs }`
