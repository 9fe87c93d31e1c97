package hyperlight

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
)

// Nobody may wait for a sandbox that waits for him. Two things tell that a host function would: the context that
// it was given and, should it use another one, the goroutine that it runs on.

// waitsForContext says whether the guest's call waits for a host function that got ctx, or for one further up: a
// host function may call another sandbox, whose host function calls the first.
func (g *guest) waitsForContext(ctx context.Context) bool {
	if g == nil {
		return false
	}
	running := g.call.Load()
	if running == nil {
		return false
	}
	for call := callOf(ctx); call != nil; call = callOf(call.caller) {
		if call == running {
			return true
		}
	}
	return false
}

// question finds out whether the guest waits for this goroutine.
type question struct {
	to     chan<- func() // nil: there is nothing to ask
	maker  uint64        // of this goroutine
	answer chan uint64
}

// question prepares one. Only a goroutine that runs a user's function for some guest has any.
func (g *guest) question() question {
	if g == nil || !g.waits.Load() {
		return question{}
	}
	maker := goroutineOfGuest()
	if maker == 0 {
		return question{}
	}
	return question{g.mailbox, maker, make(chan uint64, 1)}
}

// ask is run by the goroutine that waits for a user's function.
func (q *question) ask() { q.answer <- goroutine() }

// isYes is called once ask was sent. There is nothing to ask from then on.
func (q *question) isYes() bool {
	q.to = nil
	return <-q.answer == q.maker
}

// goroutineOfGuest is the number of the goroutine that waits for this one, if this one runs a user's function for a
// guest, or else 0. Only a stack trace tells.
func goroutineOfGuest() uint64 {
	const maker = "\ncreated by github.com/hyperlight-go/hyperlight-js/capi.Guarded in goroutine "
	trace := stack()
	start := bytes.LastIndex(trace, []byte(maker))
	if start < 0 {
		return 0
	}
	digits, _, _ := bytes.Cut(trace[start+len(maker):], []byte("\n"))
	return parseNumber(digits)
}

// goroutine is the number of this goroutine.
func goroutine() uint64 {
	digits, _, _ := bytes.Cut(bytes.TrimPrefix(stack(), []byte("goroutine ")), []byte(" "))
	return parseNumber(digits)
}

func parseNumber(digits []byte) uint64 {
	number, _ := strconv.ParseUint(string(digits), 10, 64)
	return number
}

// stack is the trace of this goroutine. The runtime leaves out the middle of a deep one.
func stack() []byte {
	for size := 8 << 10; ; size *= 2 {
		trace := make([]byte, size)
		if n := runtime.Stack(trace, false); n < size {
			return trace[:n]
		}
	}
}
