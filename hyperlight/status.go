package hyperlight

import "fmt"

// Status is the state of a sandbox; upstream's SandboxStatus, and two states that only exist here.
type Status uint32

// The states of a sandbox.
const (
	// StatusReady: the sandbox takes calls.
	StatusReady Status = iota
	// StatusPoisoned: the guest was stopped in mid-run. Only [LoadedJSSandbox.Restore] and
	// [LoadedJSSandbox.Unload] help.
	StatusPoisoned
	// StatusUnrecoverable: nothing helps; Close it.
	StatusUnrecoverable
	// StatusConsumed: a transition such as [JSSandbox.Load] took the contents.
	StatusConsumed
	// StatusClosed: Close was called.
	StatusClosed
)

// String is upstream's word for the status, in lower case: ready, poisoned, unrecoverable; or
// consumed, closed.
func (s Status) String() string {
	words := [...]string{"ready", "poisoned", "unrecoverable", "consumed", "closed"}
	if int(s) < len(words) {
		return words[s]
	}
	return fmt.Sprintf("Status(%d)", uint32(s))
}

// IsReady says whether the sandbox takes calls.
func (s Status) IsReady() bool { return s == StatusReady }

// IsPoisoned says whether the sandbox must be restored or unloaded before its next use.
func (s Status) IsPoisoned() bool { return s == StatusPoisoned }

// IsUnrecoverable says whether the sandbox must be discarded.
func (s Status) IsUnrecoverable() bool { return s == StatusUnrecoverable }
