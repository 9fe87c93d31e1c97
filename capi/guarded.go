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
// nil if the function returned. What others send to the mailbox meanwhile is run by the goroutine that waits; nil is
// no mailbox, and one serves one call at a time.
func Guarded(function func(), mailbox chan func()) *Panic {
	if mailbox == nil {
		mailbox = make(chan func())
	}
	// Unless something below says otherwise.
	end := &Panic{Value: ErrGoexit}
	over := false
	go func() {
		defer func() { mailbox <- func() { over = true } }()
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
	for !over {
		(<-mailbox)()
	}
	return end
}
