package hyperlight

import (
	"runtime"
	"time"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// ExecutionStats is what a call took, measured by upstream. Upstream: ExecutionStats.
type ExecutionStats struct {
	// WallClock is the time that the call took, without the wait for other calls.
	WallClock time.Duration
	// CPUTime is the processor time of the thread that ran the guest. Go functions that the guest calls
	// run elsewhere and do not count.
	CPUTime time.Duration
	// HasCPUTime says whether CPUTime is known. It is false when upstream could not read the clock.
	HasCPUTime bool
	// TerminatedBy is the name of the monitor that fired, or "". It can be set though the call succeeded, if
	// the monitor fired just as the guest finished. Contexts and an [InterruptHandle] are no monitors.
	TerminatedBy string
	// PrintDropped is how many bytes the guest printed beyond [WithPrintLimit]; 0 when nothing takes its
	// output. It is not upstream's.
	PrintDropped int
}

// LastCallStats is what the last finished call of [LoadedJSSandbox.HandleEvent] took, whether it succeeded or
// failed. It is false if there was none since Load, or the sandbox is closed or consumed. Calls that were
// refused before they entered the guest do not count: for invalid JSON, an empty name, a context that had
// ended, or a monitor that did not start. One that was refused because the sandbox is poisoned does, as
// upstream. After a batch it is what the last event took, with the PrintDropped of the batch. It never waits, also
// not for a call that runs. Upstream: LoadedJSSandbox::last_call_stats.
func (s *LoadedJSSandbox) LastCallStats() (ExecutionStats, bool) {
	var stats ExecutionStats
	var calls uint64
	s = orZero(s)
	s.h.peek(func(loaded capi.LoadedSandbox) { stats, calls = s.readStats(loaded) })
	runtime.KeepAlive(s)
	return stats, calls > 0
}

// WithStats fills stats when the call ends, also when it fails. It is zero if the call does not count:
// see [LoadedJSSandbox.LastCallStats]. For a batch, times are the sums of all events that count, and TerminatedBy
// is the monitor that fired last, also between two events. A nil stats is an [ErrInvalidArgument]. Upstream has
// LoadedJSSandbox::last_call_stats alone, which another goroutine's call may have replaced by then.
func WithStats(stats *ExecutionStats) CallOption { return statsOption{stats} }

type statsOption struct{ stats *ExecutionStats }

func (s statsOption) applyToCall(o *callOptions)   { o.stats, o.wantsStats = s.stats, true }
func (s statsOption) applyToRun(run *runOptions)   { run.call = append(run.call, s) }
func (s statsOption) applyToBatch(o *batchOptions) { s.applyToCall(&o.callOptions) }

// resetStats is for calls that may fail before a sandbox reads their options.
func resetStats[O BatchOption](opts []O) {
	for _, opt := range opts {
		if s, ok := any(opt).(statsOption); ok && s.stats != nil {
			*s.stats = ExecutionStats{}
		}
	}
}

// readStats asks the native object what its last finished call took, and how many there were.
func (s *LoadedJSSandbox) readStats(loaded capi.LoadedSandbox) (ExecutionStats, uint64) {
	native, terminatedBy, _ := capi.LoadedSandboxLastCallStats(loaded)
	stats := statsOf(native, terminatedBy)
	if cut := s.cut.Load(); cut != nil && cut.call == native.Calls {
		stats.PrintDropped = cut.bytes
	}
	return stats, native.Calls
}

func statsOf(native capi.Stats, terminatedBy string) ExecutionStats {
	return ExecutionStats{
		WallClock:    time.Duration(native.WallClock),
		CPUTime:      time.Duration(native.CPUTime),
		HasCPUTime:   native.HasCPUTime != 0,
		TerminatedBy: terminatedBy,
	}
}

// cutOutput is how much of a call's output was dropped.
type cutOutput struct {
	call  uint64
	bytes int
}
