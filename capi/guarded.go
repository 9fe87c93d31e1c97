package capi

import (
	"errors"
	"fmt"
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
// nil if the function returned. Whoever has a question to the goroutine that waits sends it: it is run there.
func Guarded(function func(), questions <-chan func()) *Panic {
	done := make(chan *Panic)
	go func() {
		// Unless something below says otherwise.
		end := &Panic{Value: ErrGoexit}
		defer func() { done <- end }()
		defer func() {
			if value := recover(); value != nil {
				end = &Panic{Value: value, Stack: debug.Stack()}
			} else if end != nil {
				end.Stack = debug.Stack()
			}
		}()
		function()
		end = nil
	}()
	for {
		select {
		case end := <-done:
			return end
		case question := <-questions:
			question()
		}
	}
}
