package hyperlight

import "fmt"

// Status is the state of a sandbox; upstream's SandboxStatus, and two states that only exist here, since in
// Rust a sandbox that was consumed or dropped cannot be named. The zero value is StatusReady.
type Status uint32

// The states of a sandbox; the first three are upstream's.
const (
	// StatusReady: the sandbox takes calls.
	StatusReady Status = iota
	// StatusPoisoned: the guest was stopped or ended in mid-run. Only [LoadedJSSandbox.Restore] and
	// [LoadedJSSandbox.Unload] help.
	StatusPoisoned
	// StatusUnrecoverable: nothing helps; Close it.
	StatusUnrecoverable
	// StatusConsumed: a transition such as [JSSandbox.Load] took the contents.
	StatusConsumed
	// StatusClosed: Close was called, or it is a zero value.
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

// IsReady says whether the sandbox takes calls. Upstream: SandboxStatus::is_ready.
func (s Status) IsReady() bool { return s == StatusReady }

// IsPoisoned says whether the sandbox must be restored or unloaded before its next use. Upstream:
// SandboxStatus::is_poisoned, and the deprecated poisoned() of the sandboxes.
func (s Status) IsPoisoned() bool { return s == StatusPoisoned }

// IsUnrecoverable says whether the sandbox must be discarded. Upstream: SandboxStatus::is_unrecoverable.
func (s Status) IsUnrecoverable() bool { return s == StatusUnrecoverable }
