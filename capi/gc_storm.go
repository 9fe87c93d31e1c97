package capi

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A program that is built with the tag hyperlight_gcstorm collects garbage at each crossing between Go and C: what Go
// takes for garbage too early is gone then when C uses it, and what a cleanup frees too early is freed under a call. With
// GODEBUG=clobberfree=1 Go's garbage is overwritten, too. The tag is for tests: a crossing takes thousands of times as
// long. Without it, storms is false, and the compiler leaves nothing of this.

// storm is the collection of garbage while one native call runs.
type storm struct{ over atomic.Bool }

// startStorm collects garbage before a native call, and during one that takes long, until end: after a millisecond, and
// then ever more seldom.
func startStorm(symbol uintptr) *storm {
	s := &storm{}
	if isDue(symbol) {
		collectGarbage()
		s.rageAfter(time.Millisecond)
	}
	return s
}

// crossings counts the calls of each function.
var crossings sync.Map

// calm is until when a collection would take more than half of the time, in nanoseconds of Unix time.
var calm atomic.Int64

// isDue says whether a call of a function, or one back (0), is to have its storm: each of the first 50, and then those
// that leave the program half of the time. A batch of a million events would take hours otherwise.
func isDue(symbol uintptr) bool {
	count, _ := crossings.LoadOrStore(symbol, new(atomic.Int64))
	return count.(*atomic.Int64).Add(1) <= 50 || time.Now().UnixNano() >= calm.Load()
}

// stormInCallback is for what C calls: the call that it is in still needs its memory.
func stormInCallback() {
	if isDue(0) {
		collectGarbage()
	}
}

func (s *storm) rageAfter(pause time.Duration) {
	time.AfterFunc(pause, func() {
		if !s.over.Load() {
			collectGarbage()
			s.rageAfter(2 * pause)
		}
	})
}

func (s *storm) end() { s.over.Store(true) }

// collectGarbage returns when all garbage is found. The cleanups of what was found have goroutines of their own, which get
// a chance to run. It does not wait for them: they make native calls, too.
func collectGarbage() {
	began := time.Now()
	runtime.GC()
	runtime.Gosched()
	calm.Store(time.Now().Add(time.Since(began)).UnixNano())
}
