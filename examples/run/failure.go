package main

import (
	"errors"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// The exit codes.
const (
	exitOK           = 0
	exitFailure      = 1
	exitUsage        = 2
	exitNoHypervisor = 3
	exitLimit        = 4
)

// usageError says what is wrong with the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

// inputError is an error of the script or of the event; source is the name that the user gave it.
type inputError struct {
	source string
	cause  error
}

func (e *inputError) Error() string { return e.source + ": " + explain(e.cause) }
func (e *inputError) Unwrap() error { return e.cause }

// describe gives the text that the user reads, and the exit code.
func describe(err error) (text string, exitCode int) {
	var usage usageError
	var input *inputError
	switch {
	case errors.As(err, new(limitError)):
		return err.Error(), exitLimit
	case errors.As(err, &input):
		return input.Error(), exitFailure
	case errors.As(err, &usage), errors.Is(err, hyperlight.ErrMemorySize):
		return "run: " + explain(err) + "\n" + usageLine + "   (--help tells more)", exitUsage
	case errors.Is(err, hyperlight.ErrNoHypervisor), errors.Is(err, hyperlight.ErrHypervisorUnusable):
		return "run: " + explain(err) + "\n" + hypervisorAdvice, exitNoHypervisor
	}
	return "run: " + explain(err), exitFailure
}

const hypervisorAdvice = "No hypervisor of this machine runs a guest. `./build.sh doctor` tells what is wrong and what to do.\n" +
	"`./build.sh run` needs none: where none works, it runs this program in an emulated machine."

// explain words an error for people. The error's own text is for Go programs: it names Go functions and
// options, and shows exceptions the way the guest writes them down.
func explain(err error) string {
	var failure *hyperlight.Error
	if !errors.As(err, &failure) {
		return err.Error()
	}
	switch {
	case failure.Exception != nil:
		return uncaught(failure.Exception)
	case errors.Is(err, hyperlight.ErrInvalidJSON):
		return "not JSON: " + afterColon(failure.Message)
	case errors.Is(err, hyperlight.ErrBufferTooSmall):
		return failure.Message + "; raise --input-buffer"
	case errors.Is(err, hyperlight.ErrOutputTooBig):
		return "the result does not fit into the output buffer; raise --output-buffer"
	case errors.Is(err, hyperlight.ErrOutOfMemory):
		return "the guest ran out of memory; raise --heap and --scratch"
	case errors.Is(err, hyperlight.ErrNoValue):
		return "the handler returned nothing that JSON can hold"
	case errors.Is(err, hyperlight.ErrSnapshotIncompatible), errors.Is(err, hyperlight.ErrSnapshotCorrupt),
		errors.Is(err, hyperlight.ErrSnapshotMismatch):
		return failure.Message + "; remove the folder, or name another with --snapshot"
	case errors.Is(err, hyperlight.ErrGuest):
		return guestFailure(failure.Message)
	case errors.Is(err, hyperlight.ErrLibraryNotFound):
		return failure.Message + "\n`./build.sh` makes the library."
	}
	return failure.Message
}

// uncaught shows an exception the way JavaScript engines do.
func uncaught(exception *hyperlight.JSException) string {
	text := "Uncaught " + exception.Error()
	if stack := strings.TrimRight(exception.Stack, "\n"); stack != "" {
		text += "\n" + stack
	}
	return text
}

// guestFailure words the failures that upstream only has in the form of Rust's debug output.
func guestFailure(message string) string {
	switch {
	case strings.Contains(message, "FromJs") && strings.Contains(message, `to: "function"`):
		return "the script exports no function named handler"
	case strings.Contains(message, "WouldBlock"):
		return "it waits for a promise that nothing will settle"
	}
	return message
}

// afterColon is what follows upstream's headline, or all of a text that has none.
func afterColon(text string) string {
	if _, detail, found := strings.Cut(text, ": "); found {
		return detail
	}
	return text
}
