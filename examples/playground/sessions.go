package main

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// sessions are the visitors who have a sandbox. A session is named by a token that only its page knows, which keeps it
// in the tab's memory and sends it in a header: there is no cookie, so no other site can use it.
type sessions struct {
	most       int
	perAddress int
	idle       time.Duration

	mu     sync.Mutex
	byID   map[string]*session
	closed bool
}

// session is one visitor, who does one thing at a time.
type session struct {
	id      string
	address string
	sandbox *sandbox

	// Of the table's lock:
	lastUsed time.Time
	cancel   context.CancelCauseFunc // ends what runs; nil while nothing does
	expired  bool                    // to be closed when what runs has ended
}

func newSessions(s settings) *sessions {
	return &sessions{most: s.sessions, perAddress: s.perAddress, idle: s.idle, byID: map[string]*session{}}
}

// use gives the visitor's session, or a new one if there is none of that name, and a context for what is done with it.
// Until done is called, nobody else gets it.
func (t *sessions) use(ctx context.Context, id, address string) (_ context.Context, s *session, done func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, err = t.find(id, address)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s.cancel = cancel
	return ctx, s, func() { t.done(s) }, nil
}

func (t *sessions) find(id, address string) (*session, error) {
	if t.closed {
		return nil, refuseShutdown
	}
	if s := t.byID[id]; s != nil {
		if s.cancel != nil {
			return nil, refuseBusy
		}
		return s, nil
	}
	if len(t.byID) >= t.most {
		return nil, refuseFull
	}
	of := 0
	for _, s := range t.byID {
		if s.address == address {
			of++
		}
	}
	if of >= t.perAddress {
		return nil, refuseAddressFull
	}
	s := &session{id: rand.Text(), address: address, sandbox: newSandbox()}
	t.byID[s.id] = s
	return s, nil
}

// done ends a use.
func (t *sessions) done(s *session) {
	t.mu.Lock()
	s.cancel(nil)
	s.cancel = nil
	s.lastUsed = time.Now()
	expired := s.expired
	t.mu.Unlock()
	if expired {
		s.sandbox.close()
	}
}

// stop ends what the session does. It says whether there is such a session.
func (t *sessions) stop(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.byID[id]
	if s != nil && s.cancel != nil {
		s.cancel(errStopped)
	}
	return s != nil
}

// end closes a session, and stops what it does.
func (t *sessions) end(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.byID[id]; s != nil {
		t.remove(s, errStopped)
	}
}

// expire closes the sessions that were idle for too long.
func (t *sessions) expire(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byID {
		if s.cancel == nil && now.Sub(s.lastUsed) >= t.idle {
			t.remove(s, nil) // nothing runs
		}
	}
}

// close ends all sessions, and lets nobody in any more.
func (t *sessions) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, s := range t.byID {
		t.remove(s, errShutdown)
	}
}

// remove forgets a session and frees what it has; if it is in use, as soon as that has ended.
func (t *sessions) remove(s *session, cause error) {
	delete(t.byID, s.id)
	if s.cancel != nil {
		s.expired = true
		s.cancel(cause)
		return
	}
	s.sandbox.close()
}

// expireUntil closes idle sessions until ctx ends.
func (t *sessions) expireUntil(ctx context.Context) {
	tick := time.NewTicker(max(t.idle/10, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			t.expire(now)
		case <-ctx.Done():
			return
		}
	}
}

// has says whether there is such a session.
func (t *sessions) has(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id] != nil
}
