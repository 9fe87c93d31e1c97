package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// stream answers a request with messages, one line of JSON each, as they come. The guest never waits for the network:
// messages are kept until they are sent, and what they may be together is bounded by the limits of the run.
type stream struct {
	mu      sync.Mutex
	waiting []message
	wake    chan struct{} // has room for one
	ended   chan struct{} // closed when the last message was sent, or the visitor has gone
}

// message is one line. Only what belongs to its type is there.
type message struct {
	Type    string   `json:"type"` // "session", "phase", "print", "result", "failure" or "stats"
	Session *opened  `json:"session,omitempty"`
	Text    string   `json:"text,omitempty"` // of a phase, a print and a result
	Failure *failure `json:"failure,omitempty"`
	Stats   *stats   `json:"stats,omitempty"`
	printed []byte   // of a print: what becomes its Text
}

// opened tells the page which session it has.
type opened struct {
	ID  string `json:"id"`
	New bool   `json:"new"`
}

// newStream begins to answer. If nobody reads a message for so long, gone is called.
func newStream(w http.ResponseWriter, slowReader time.Duration, gone func()) *stream {
	s := &stream{wake: make(chan struct{}, 1), ended: make(chan struct{})}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Accel-Buffering", "no") // or nginx collects it all first
	noWriteDeadline(w)
	w.WriteHeader(http.StatusOK)
	go s.copyTo(w, slowReader, gone)
	return s
}

// noWriteDeadline takes the request's away, since guests may take longer, and one that has passed cannot be put off. Who
// uses it sets one for each write.
func noWriteDeadline(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
}

// send adds a message.
func (s *stream) send(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, m)
	s.wakeUp()
}

func (s *stream) phase(name string) { s.send(message{Type: "phase", Text: name}) }

// print sends what the guest printed. It joins the print before, if that has not left yet: many lines are few messages.
func (s *stream) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.waiting) - 1; last < 0 || s.waiting[last].Type != "print" {
		s.waiting = append(s.waiting, message{Type: "print"})
	}
	last := &s.waiting[len(s.waiting)-1]
	last.printed = append(last.printed, text...)
	s.wakeUp()
}

// end waits until all is sent. The request must not end before.
func (s *stream) end() {
	s.mu.Lock()
	s.waiting = append(s.waiting, message{})
	s.wakeUp()
	s.mu.Unlock()
	<-s.ended
}

func (s *stream) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) take() []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.waiting
	for i := range taken {
		if taken[i].Type == "print" {
			taken[i].Text = string(taken[i].printed)
		}
	}
	s.waiting = nil
	return taken
}

func (s *stream) copyTo(w http.ResponseWriter, slowReader time.Duration, gone func()) {
	defer close(s.ended)
	lines, control, failed := json.NewEncoder(w), http.NewResponseController(w), false
	for range s.wake {
		for _, m := range s.take() {
			_ = control.SetWriteDeadline(time.Now().Add(slowReader))
			if m.Type == "" {
				return
			}
			if !failed && lines.Encode(m) != nil {
				failed = true
				gone()
			}
		}
		if !failed && control.Flush() != nil {
			failed = true
			gone()
		}
		noWriteDeadline(w)
	}
}
