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

// Guarded runs a user's function on a goroutine of its own and waits for it. A panic or a
// runtime.Goexit there would otherwise unwind through the native frames below a callback. The result is
// nil if the function returned.
//
// The goroutine is a coroutine: it runs on the same thread, at once, and costs a fraction of two switches of threads,
// which is what it would take to wake another goroutine in a callback, whose own is bound to its thread. But Go ends the
// process when the function leaves the goroutine locked to the thread (runtime.LockOSThread), and when it asks an iterator
// of iter.Pull that was made outside. For functions that do, there is GuardedApart.
func Guarded(function func()) (end *Panic) {
	defer func() {
		if value := recover(); value != nil && value != goexit {
			panic(value) // Of nobody's: below nothing else can panic.
		}
	}()
	next, _ := iter.Pull(func(func(struct{}) bool) {
		returned := false
		defer func() {
			if end = endOf(returned, recover()); end != nil {
				// A Goexit goes on, and iter.Pull would pass it on, which nothing stops. It passes this on instead.
				panic(goexit)
			}
		}()
		function()
		returned = true
	})
	next()
	return end
}

// goexit is what a Goexit becomes on its way through iter.Pull.
var goexit any = new(struct{ _ int })

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

// Goroutine tells goroutines that are alive apart: no two have the same.
func Goroutine() uintptr { return currentGoroutine() }
