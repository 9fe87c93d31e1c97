package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// failure is an error as the page shows it. Its texts may be the guest's: the page puts them in as text.
type failure struct {
	Kind    string  `json:"kind"` // "exception", "stopped", "memory", "input", "guest" or "host"
	Title   string  `json:"title"`
	Message string  `json:"message,omitempty"`
	Advice  string  `json:"advice,omitempty"`
	Frames  []frame `json:"frames,omitempty"`
}

// frame is one line of the stack. Mine says that it is in the visitor's code.
type frame struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Mine     bool   `json:"mine"`
}

// failureOf words an error for people who write JavaScript. The error's own text is for those who write Go.
func failureOf(err error, l limits) *failure {
	var exception *hyperlight.JSException
	var failed *hyperlight.Error
	var refused refusal
	var ended ending
	switch {
	case errors.As(err, &exception) && exception.Message == noSuchExport:
		return noHandler(exception.Message)
	case errors.As(err, &exception):
		return uncaught(exception)
	case errors.As(err, &refused):
		return &failure{Kind: "input", Title: sentence(refused.text)}
	case errors.Is(err, hyperlight.ErrCancelled), errors.Is(err, context.Canceled), errors.As(err, &ended):
		return stopped(err, l)
	case !errors.As(err, &failed):
	case errors.Is(err, hyperlight.ErrOutOfMemory):
		return &failure{Kind: "memory", Title: "The guest ran out of memory", Message: failed.Message,
			Advice: "Allocate less, recurse less deeply, or raise the heap."}
	case errors.Is(err, hyperlight.ErrInvalidJSON):
		return &failure{Kind: "input", Title: "The event is not JSON", Message: afterColon(failed.Message)}
	case errors.Is(err, hyperlight.ErrNoValue):
		return &failure{Kind: "guest", Title: "The handler returned nothing", Message: failed.Message,
			Advice: "Return something that JSON can hold."}
	case errors.Is(err, hyperlight.ErrOutputTooBig):
		return &failure{Kind: "guest", Title: "The result is too big", Message: failed.Message,
			Advice: fmt.Sprintf("The playground takes results of up to %d KiB.", bufferBytes>>10)}
	case errors.Is(err, hyperlight.ErrPoisoned):
		return &failure{Kind: "input", Title: "The guest was stopped in the middle of something", Message: failed.Message,
			Advice: "Restore a snapshot, or run again, which loads your code anew."}
	case errors.Is(err, hyperlight.ErrInvalidArgument), errors.Is(err, hyperlight.ErrBufferTooSmall):
		return &failure{Kind: "input", Title: "The guest cannot take this", Message: failed.Message}
	case errors.Is(err, hyperlight.ErrGuest):
		return guestFailure(failed.Message)
	case errors.Is(err, hyperlight.ErrGuestAborted), errors.Is(err, hyperlight.ErrAccessViolation):
		return &failure{Kind: "guest", Title: "The guest crashed", Message: failed.Message}
	}
	// The host's own affairs are for its log, and for nobody else.
	return &failure{Kind: "host", Title: "The playground could not run it", Advice: "Try again. If that does not help, its operator finds more in its log."}
}

func uncaught(exception *hyperlight.JSException) *failure {
	f := &failure{Kind: "exception", Title: "Uncaught exception", Message: exception.Error()}
	if exception.Thrown != hyperlight.ThrownError {
		f.Title = "Uncaught " + string(exception.Thrown)
		f.Advice = "Only an Error has a stack that tells where it was thrown."
	}
	for _, at := range exception.Frames() {
		f.Frames = append(f.Frames, frame{at.Function, at.File, at.Line, at.Column, at.File == handlerFile && at.Line > 0})
	}
	return f
}

// stopped says what stopped the guest.
func stopped(err error, l limits) *failure {
	f := &failure{Kind: "stopped", Title: "Stopped"}
	var failed *hyperlight.Error
	if errors.As(err, &failed) {
		f.Message = failed.Message
	}
	switch {
	case failed != nil && failed.Monitor == "wall-clock":
		f.Title = fmt.Sprintf("Stopped after %d ms by the wall clock", l.WallClock)
		f.Advice = "Raise the wall clock, or find what takes so long."
	case failed != nil && failed.Monitor == "cpu-time":
		f.Title = fmt.Sprintf("Stopped after %d ms of CPU time", l.CPUTime)
		f.Advice = "Raise the CPU time, or find what computes so much."
	case errors.Is(err, errLoadTime):
		f.Title = fmt.Sprintf("Stopped after %d ms: the top-level code did not end", l.WallClock)
	case errors.Is(err, errStopped):
		f.Title = "Stopped by you"
	case errors.Is(err, errShutdown):
		f.Title, f.Advice = "Stopped: the playground shuts down", "Try again in a minute."
	}
	return f
}

// guestFailure words the failures that upstream only has in the form of Rust's debug output.
func guestFailure(message string) *failure {
	f := &failure{Kind: "guest", Title: "The guest failed", Message: message}
	switch {
	case strings.Contains(message, "FromJs") && strings.Contains(message, `to: "function"`):
		return noHandler(message)
	case strings.Contains(message, "WouldBlock"):
		f.Title, f.Advice = "The handler waits for a promise that nothing will settle", "There are no timers and no network in here."
	}
	return f
}

// noSuchExport is what the engine throws at code without a handler.
const noSuchExport = "exported variable '" + handlerName + "' does not exist"

func noHandler(message string) *failure {
	return &failure{Kind: "guest", Title: "There is no function named handler", Message: message,
		Advice: "Define one: function handler(event) { ... }"}
}

// isHostFailure says whether the error is something for the log.
func isHostFailure(f *failure) bool { return f.Kind == "host" }

// afterColon is what follows upstream's headline, or all of a text that has none.
func afterColon(text string) string {
	if _, detail, found := strings.Cut(text, ": "); found {
		return detail
	}
	return text
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
