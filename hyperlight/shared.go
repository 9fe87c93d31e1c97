package hyperlight

import "sync"

// shared owns one native object that any number of users may use at a time. It is freed exactly once:
// when it was closed and its last user has left.
type shared[T any] struct {
	native T
	free   func(T)

	mu     sync.Mutex
	users  int
	closed bool
}

// enter fails after close. Whom it lets in must leave.
func (s *shared[T]) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.users++
	return true
}

func (s *shared[T]) leave() {
	s.mu.Lock()
	s.users--
	over := s.closed && s.users == 0
	s.mu.Unlock()
	if over {
		s.free(s.native)
	}
}

func (s *shared[T]) close() {
	s.mu.Lock()
	over := !s.closed && s.users == 0
	s.closed = true
	s.mu.Unlock()
	if over {
		s.free(s.native)
	}
}
