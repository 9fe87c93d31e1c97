package soak_test

import (
	"errors"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// endings are the ways in which a guest may end, the special before the general, and what becomes of its sandbox.
var endings = []struct {
	name     string
	sentinel error
	status   hyperlight.Status
}{
	{"result", nil, hyperlight.StatusReady},
	{"cancelled", hyperlight.ErrCancelled, hyperlight.StatusPoisoned},
	{"out of memory", hyperlight.ErrOutOfMemory, hyperlight.StatusPoisoned},
	{"output too big", hyperlight.ErrOutputTooBig, hyperlight.StatusPoisoned},
	{"guest aborted", hyperlight.ErrGuestAborted, hyperlight.StatusPoisoned},
	{"access violation", hyperlight.ErrAccessViolation, hyperlight.StatusPoisoned},
	{"VM failure", hyperlight.ErrVMFailure, hyperlight.StatusPoisoned},
	{"host function panicked", hyperlight.ErrHostFunctionPanicked, hyperlight.StatusReady},
	{"exception", hyperlight.ErrJSException, hyperlight.StatusReady},
	{"no value", hyperlight.ErrNoValue, hyperlight.StatusReady},
	{"guest error", hyperlight.ErrGuest, hyperlight.StatusReady},
}

func isEnding(name string) bool {
	for _, e := range endings {
		if e.name == name {
			return true
		}
	}
	return false
}

// endingOf says how a call ended, and what status the sandbox should have. An error that no guest can cause is "".
func endingOf(err error) (string, hyperlight.Status) {
	for _, e := range endings {
		if err == nil && e.sentinel == nil || err != nil && e.sentinel != nil && errors.Is(err, e.sentinel) {
			return e.name, e.status
		}
	}
	return "", 0
}
