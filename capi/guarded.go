package capi

import (
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
)

// Panic is how a function ended that did not return.
type Panic struct {
	// Value is what was given to panic, or ErrGoexit.
	Value any
	// Stack is where that happened, as debug.Stack prints it.
	Stack []byte
}

// ErrGoexit is the value of a Panic that is none: the function called runtime.Goexit, which is how
// t.FailNow ends a test.
var ErrGoexit = errors.New("runtime.Goexit was called")

// String is the value.
func (p *Panic) String() string { return fmt.Sprint(p.Value) }

// Guard runs users' functions, one after the other, on a goroutine of their own, and waits for them. A panic or a
// runtime.Goexit there would otherwise unwind through the native frames below a callback. Its zero value is ready for use.
//
// The goroutine is a coroutine: it runs on the same thread, at once, and costs a fraction of two switches of threads,
// which is what it would take to wake another goroutine in a callback, whose own is bound to its thread. But Go ends the
// process when a function leaves the goroutine locked to the thread (runtime.LockOSThread), and when it asks an iterator
// of iter.Pull that was made outside. For functions that do, there is GuardedApart.
//
// A coroutine goes on only where it was made, so deep in callbacks and bound to that thread. So a guard that serves a native
// call (frame.guarded) keeps its coroutine from one callback to the next, and the call ends it before it returns.
type Guard struct {
	frame *frame // of the call, or nil: then each function has a coroutine of its own

	resume   func() (struct{}, bool) // nil: there is no coroutine
	stop     func()
	function func() // that runs
	end      *Panic // of the function that ran last
}

// Run runs a function. The result is nil if it returned.
func (g *Guard) Run(function func()) *Panic {
	if g.frame == nil || g.function != nil {
		return Guarded(function)
	}
	if g.resume == nil {
		g.start()
		g.frame.guarding = 1
	}
	return g.run(function)
}

// Guarded is Guard.Run, once.
func Guarded(function func()) *Panic {
	var g Guard
	g.start()
	defer g.finish()
	return g.run(function)
}

func (g *Guard) run(function func()) *Panic {
	g.function = function
	g.next()
	end := g.end
	g.function, g.end = nil, nil
	return end
}

// next has the coroutine run the function.
func (g *Guard) next() {
	defer func() {
		switch value := recover(); value {
		case nil:
		case goexit:
			g.resume = nil
		default:
			panic(value) // Of no user's: a bug here, which must not look like a function that returned.
		}
	}()
	g.resume()
}

// goexit is what a Goexit becomes on its way through iter.Pull.
var goexit any = new(struct{ _ int })

// start makes the coroutine.
func (g *Guard) start() {
	g.resume, g.stop = iter.Pull(func(yield func(struct{}) bool) {
		over := false
		defer func() {
			if !over {
				// A Goexit goes on, and iter.Pull would pass it on, which nothing stops. It passes this on instead.
				panic(goexit)
			}
		}()
		deepen() // At once, and not in three steps with ever more on it to move.
		for g.attempt(); yield(struct{}{}); g.attempt() {
		}
		over = true
	})
}

// attempt runs the function on the coroutine. It does not return if that ended by a Goexit.
func (g *Guard) attempt() {
	returned := false
	defer func() { g.end = endOf(returned, recover()) }()
	g.function()
	returned = true
}

// finish ends the coroutine, where it was made.
func (g *Guard) finish() {
	if g.resume != nil {
		g.stop()
		g.resume = nil
	}
}

// GuardedApart is Guarded on a goroutine like any other, which may do all that goroutines may.
func GuardedApart(function func()) (end *Panic) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() { end = endOf(returned, recover()) }()
		function()
		returned = true
	}()
	<-done
	return end
}

// endOf is how a function ended, told by a deferred one.
func endOf(returned bool, recovered any) *Panic {
	switch {
	case returned:
		return nil
	case recovered != nil:
		return &Panic{Value: recovered, Stack: debug.Stack()}
	default:
		return &Panic{Value: ErrGoexit, Stack: debug.Stack()}
	}
}
