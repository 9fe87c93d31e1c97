package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// sessionHeader names the visitor's session, in requests.
const sessionHeader = "X-Playground-Session"

// stats are what a run took.
type stats struct {
	WallClock    float64  `json:"wallClock"` // milliseconds, as all times here
	CPUTime      *float64 `json:"cpuTime"`   // null: upstream could not read the clock
	Boot         float64  `json:"boot"`
	Load         float64  `json:"load"`
	ResultBytes  int      `json:"resultBytes"`
	PrintDropped int      `json:"printDropped"` // bytes
	TerminatedBy string   `json:"terminatedBy"`
	State        state    `json:"state"`
}

// answerRun runs a visitor's code, and streams what comes of it. The body is read when there is a session for it, since
// their number bounds the memory that bodies take.
func (s *server) answerRun(w http.ResponseWriter, r *http.Request) error {
	id := r.Header.Get(sessionHeader)
	ctx, visitor, done, err := s.sessions.use(r.Context(), id, s.visitors.address(r))
	if err != nil {
		return err
	}
	defer done()
	t, err := readTask(w, r, s.settings.most)
	if err != nil {
		if visitor.id != id {
			s.sessions.end(visitor.id) // nobody would come back to it
		}
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := newStream(w, s.settings.slowReader, func() { cancel(errGone) })
	defer out.end()
	out.send(message{Type: "session", Session: &opened{visitor.id, visitor.id != id}})
	s.run(ctx, visitor, t, out)
	return nil
}

func (s *server) run(ctx context.Context, visitor *session, t task, out *stream) {
	endTurn, err := s.turns.take(ctx, func() { out.phase("waiting") })
	if err != nil {
		out.send(message{Type: "failure", Failure: failureOf(err, t.Limits)})
		return
	}
	defer endTurn()
	visitor.sandbox.print = out.print
	defer func() { visitor.sandbox.print = func(string) {} }()
	o, err := visitor.sandbox.run(ctx, t, out.phase)
	if err != nil {
		f := failureOf(err, t.Limits)
		if isHostFailure(f) {
			s.log.Error("run failed", "error", err)
		}
		out.send(message{Type: "failure", Failure: f})
	} else {
		out.send(message{Type: "result", Text: indented(o.result)})
	}
	out.send(message{Type: "stats", Stats: statsOf(o, visitor.sandbox.state())})
}

func statsOf(o outcome, now state) *stats {
	all := &stats{
		WallClock:    milliseconds(o.stats.WallClock),
		Boot:         milliseconds(o.boot),
		Load:         milliseconds(o.load),
		ResultBytes:  len(o.result),
		PrintDropped: o.stats.PrintDropped,
		TerminatedBy: o.stats.TerminatedBy,
		State:        now,
	}
	if o.stats.HasCPUTime {
		used := milliseconds(o.stats.CPUTime)
		all.CPUTime = &used
	}
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

const indentedBytes = 1 << 20

// indented is JSON for people. The digits of numbers stay as they are, which they would not in the browser. What is
// nested so deeply that indenting makes it huge is left as it is.
func indented(result []byte) string {
	var text bytes.Buffer
	if sizeIndented(result) > indentedBytes || json.Indent(&text, result, "", "  ") != nil {
		return string(result)
	}
	return text.String()
}

// sizeIndented is a bound of what json.Indent makes of JSON: each bracket and comma may begin a line.
func sizeIndented(text []byte) int {
	size, depth, inString := len(text), 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			depth++
			size += 1 + 2*depth
		case c == ']' || c == '}' || c == ',':
			size += 1 + 2*depth
			if c != ',' {
				depth--
			}
		case c == ':':
			size++
		}
	}
	return size
}

// answerSnapshot keeps the state of the visitor's guest.
func (s *server) answerSnapshot(w http.ResponseWriter, r *http.Request) error {
	return s.answerState(w, r, func(ctx context.Context, b *sandbox) (int64, error) { return b.takeSnapshot(ctx) })
}

// answerRestore brings the kept state back.
func (s *server) answerRestore(w http.ResponseWriter, r *http.Request) error {
	return s.answerState(w, r, func(ctx context.Context, b *sandbox) (int64, error) { return 0, b.restore(ctx) })
}

// changed is what the page hears about snapshots.
type changed struct {
	Took  float64  `json:"took"`            // milliseconds
	Bytes int64    `json:"bytes,omitempty"` // of the snapshot
	Error *failure `json:"failure,omitempty"`
	State state    `json:"state"`
}

// answerState does something to a guest that is there already.
func (s *server) answerState(w http.ResponseWriter, r *http.Request, do func(context.Context, *sandbox) (int64, error)) error {
	id := r.Header.Get(sessionHeader)
	if !s.sessions.has(id) {
		return refuseSession
	}
	ctx, visitor, done, err := s.sessions.use(r.Context(), id, s.visitors.address(r))
	if err != nil {
		return err
	}
	defer done()
	noWriteDeadline(w)
	endTurn, err := s.turns.take(ctx, func() {})
	if err != nil {
		return err
	}
	defer endTurn()
	began := time.Now()
	size, err := do(ctx, visitor.sandbox)
	answer := changed{Took: milliseconds(time.Since(began)), Bytes: size, State: visitor.sandbox.state()}
	if err != nil {
		answer.Error = failureOf(err, limits{})
		if isHostFailure(answer.Error) {
			s.log.Error("snapshot failed", "error", err)
		}
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.settings.slowReader))
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// answerStop ends what the visitor's guest does. Its run then ends with a failure that says so.
func (s *server) answerStop(w http.ResponseWriter, r *http.Request) error {
	if !s.sessions.stop(r.Header.Get(sessionHeader)) {
		return refuseSession
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// answerReset gives the visitor's sandbox back.
func (s *server) answerReset(w http.ResponseWriter, r *http.Request) error {
	s.sessions.end(r.Header.Get(sessionHeader))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// answering turns what an action returns into an answer.
func (s *server) answering(action func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.visitors.allow(s.visitors.address(r), time.Now()) {
			refuse(w, refuseRate)
			return
		}
		err := action(w, r)
		var refused refusal
		switch {
		case err == nil:
		case errors.As(err, &refused):
			refuse(w, refused)
		default:
			s.log.Info("a request has ended early", "path", r.URL.Path, "error", err)
			refuse(w, refuseEnded) // by the visitor, mostly, who does not wait for the answer
		}
	})
}
