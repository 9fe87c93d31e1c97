package hyperlight

import (
	"fmt"
	"runtime"
	"time"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Monitor ends a call that goes too far: [WallClock], [CPUTime], or a [*Trigger]. All of them run on the
// native side, so that a busy Go program does not delay them. They may be used for any number of calls,
// sandboxes and goroutines at a time. Upstream: the ExecutionMonitor trait, whose implementations are these.
type Monitor interface {
	// open makes the native monitor for one call; close undoes it.
	open(op string) (capi.Monitor, error)
	close(capi.Monitor)
}

// WallClock ends a call that takes longer than limit, Go functions that the guest calls included; what waits
// for such a function is stopped when that returns. The limit must be above zero, or HandleEvent returns
// [ErrInvalidArgument]. Its name is "wall-clock". Upstream: WallClockMonitor.
func WallClock(limit time.Duration) Monitor {
	return &limited{limit, "timeout", capi.MonitorNewWallClock}
}

// CPUTime ends a call that takes more processor time than limit. What counts is the thread that runs the
// guest, and the Go functions that the guest calls, as upstream has it; not what these leave to other goroutines, nor, with
// [WithHostGoroutines], anything in Go. It does not count while such a function waits, so give it a [WallClock] beside it if
// that may take long. What waits for a function is stopped when that returns. The time is read every 1 to 10 ms. The limit must be above zero, or HandleEvent
// returns [ErrInvalidArgument]. Its name is "cpu-time". Upstream: CpuTimeMonitor.
func CPUTime(limit time.Duration) Monitor {
	return &limited{limit, "cpu_timeout", capi.MonitorNewCPUTime}
}

// limited is a monitor that is made for each call: that is cheaper than to keep it and have it collected.
type limited struct {
	limit time.Duration
	what  string
	make  func(nanoseconds uint64) (capi.Monitor, *capi.Error)
}

func (m *limited) open(op string) (capi.Monitor, error) {
	if m.limit < 0 {
		return capi.Monitor{}, invalidArgument(op, fmt.Sprintf("%s is %v, below zero", m.what, m.limit))
	}
	native, err := m.make(uint64(m.limit))
	return native, nativeError(op, err)
}

func (m *limited) close(native capi.Monitor) { capi.MonitorFree(native) }

// Trigger is a [Monitor] that ends calls when it is told to. Once fired it stays so until it is reset: calls that
// are given a fired trigger do not run. Its methods may be called from any goroutine, and never wait.
// Upstream has nothing like it, but its ExecutionMonitor trait allows for it.
type Trigger struct{ native capi.Monitor }

// NewTrigger makes a trigger. Its name, 1 to 64 bytes, is what errors, statistics and metrics say; several
// triggers may have the same. Not allowed are "wall-clock", "cpu-time", "interrupt" and "context". It loads
// the native library if that has not happened (see [Library]).
//
// # Errors
//
// [ErrInvalidArgument]; [ErrTooManyTriggers] for the 65th name of a process, since upstream keeps names
// for ever; and the errors of [Library].
func NewTrigger(name string) (*Trigger, error) {
	const op = "NewTrigger"
	if _, err := loadLibrary(op); err != nil {
		return nil, err
	}
	native, err := capi.MonitorNewTrigger(name)
	if err != nil {
		return nil, nativeError(op, err)
	}
	t := &Trigger{native}
	runtime.AddCleanup(t, capi.MonitorFree, native)
	return t, nil
}

// Fire ends all calls that run with the trigger, and does not wait for their end. Upstream has none.
func (t *Trigger) Fire() { t.tell(capi.MonitorFire) }

// Reset makes the trigger usable again. Calls that ran when it was fired end all the same. Upstream has none.
func (t *Trigger) Reset() { t.tell(capi.MonitorReset) }

// tell cannot fail: the monitor is a trigger.
func (t *Trigger) tell(what func(capi.Monitor) *capi.Error) {
	if t != nil && t.native != (capi.Monitor{}) {
		_ = what(t.native)
		runtime.KeepAlive(t)
	}
}

// Name is the trigger's name. Upstream: ExecutionMonitor::name.
func (t *Trigger) Name() string {
	if t == nil || t.native == (capi.Monitor{}) {
		return ""
	}
	defer runtime.KeepAlive(t)
	return capi.MonitorName(t.native)
}

func (t *Trigger) open(op string) (capi.Monitor, error) {
	if t == nil || t.native == (capi.Monitor{}) {
		return capi.Monitor{}, invalidArgument(op, "a trigger is nil or a zero value; NewTrigger makes usable ones")
	}
	return t.native, nil
}

func (t *Trigger) close(capi.Monitor) {}

// WithMonitors lets up to five monitors watch the call. The first that fires stops the guest: HandleEvent
// returns [ErrCancelled], the error's Monitor is its name, and the sandbox is poisoned. A monitor never stops a
// later call. Nor does it end the context of a host function that the guest waits for: the deadline of a
// context does. The context of the call takes none of the five places. If a monitor cannot start, the handler
// does not run: [ErrMonitorFailedToStart]. Given more than once, the monitors add up; more than five, or a nil
// one, are an [ErrInvalidArgument].
//
// The first call with monitors starts upstream's monitor threads, two or as many as the environment variable
// HYPERLIGHT_MONITOR_THREADS says at this moment, 1,024 at most. If they cannot be started then, that is an
// [ErrMonitorFailedToStart], and the next call tries again. Upstream: LoadedJSSandbox::handle_event_with_monitor,
// which runs no calls with monitors any more once its threads could not be started.
func WithMonitors(monitors ...Monitor) CallOption { return monitorsOption(monitors) }

type monitorsOption []Monitor

func (m monitorsOption) applyToCall(o *callOptions)   { o.monitors = append(o.monitors, m...) }
func (m monitorsOption) applyToRun(run *runOptions)   { run.call = append(run.call, m) }
func (m monitorsOption) applyToBatch(o *batchOptions) { m.applyToCall(&o.callOptions) }

// openMonitors makes the native monitors for one call.
func openMonitors(op string, monitors []Monitor) ([]capi.Monitor, error) {
	natives := make([]capi.Monitor, 0, len(monitors))
	for _, monitor := range monitors {
		if monitor == nil {
			closeMonitors(monitors, natives)
			return nil, invalidArgument(op, "a monitor is nil")
		}
		native, err := monitor.open(op)
		if err != nil {
			closeMonitors(monitors, natives)
			return nil, err
		}
		natives = append(natives, native)
	}
	return natives, nil
}

// closeMonitors undoes openMonitors.
func closeMonitors(monitors []Monitor, natives []capi.Monitor) {
	for i, native := range natives {
		monitors[i].close(native)
	}
	runtime.KeepAlive(monitors)
}
