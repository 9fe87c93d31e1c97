//go:build linux && amd64

package capi

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newMonitor(t *testing.T, make func() (Monitor, *Error)) Monitor {
	t.Helper()
	loadLibrary(t)
	monitor, err := make()
	requireOK(t, err)
	require.NotZero(t, monitor)
	t.Cleanup(func() { MonitorFree(monitor) })
	return monitor
}

func TestMonitorsHaveUpstreamsNames(t *testing.T) {
	wall := newMonitor(t, func() (Monitor, *Error) { return MonitorNewWallClock(1) })
	assert.Equal(t, "wall-clock", MonitorName(wall))
	cpu := newMonitor(t, func() (Monitor, *Error) { return MonitorNewCPUTime(math.MaxUint64) })
	assert.Equal(t, "cpu-time", MonitorName(cpu))
	for _, monitor := range []Monitor{wall, cpu} {
		requireError(t, MonitorFire(monitor), CodeInvalidArgument, "the monitor is not a trigger")
		requireError(t, MonitorReset(monitor), CodeInvalidArgument, "the monitor is not a trigger")
	}
}

func TestNoLimitIsNoMonitor(t *testing.T) {
	loadLibrary(t)
	monitor, err := MonitorNewWallClock(0)
	requireError(t, err, CodeInvalidArgument, "timeout must be non-zero")
	assert.Zero(t, monitor)
	monitor, err = MonitorNewCPUTime(0)
	requireError(t, err, CodeInvalidArgument, "cpu_timeout must be non-zero")
	assert.Zero(t, monitor)
}

func TestTrigger(t *testing.T) {
	const name = "trigger\x00 ä"
	trigger := newMonitor(t, func() (Monitor, *Error) { return MonitorNewTrigger(name) })
	assert.Equal(t, name, MonitorName(trigger))
	for range 2 {
		requireOK(t, MonitorFire(trigger))
		requireOK(t, MonitorFire(trigger))
		requireOK(t, MonitorReset(trigger))
		requireOK(t, MonitorReset(trigger))
	}
}

func TestTriggerNamesAreChecked(t *testing.T) {
	loadLibrary(t)
	for name, message := range map[string]string{
		"":                       "the trigger name has 0 bytes; it must have 1 to 64",
		strings.Repeat("x", 65):  "the trigger name has 65 bytes; it must have 1 to 64",
		"wall-clock":             "the trigger name 'wall-clock' is reserved",
		"cpu-time":               "the trigger name 'cpu-time' is reserved",
		"interrupt":              "the trigger name 'interrupt' is reserved",
		"context":                "the trigger name 'context' is reserved",
		"abc\xff":                "the trigger name is not UTF-8: invalid byte at offset 3",
		strings.Repeat("ä", 100): "the trigger name has 200 bytes; it must have 1 to 64",
	} {
		monitor, err := MonitorNewTrigger(name)
		requireError(t, err, CodeInvalidArgument, message)
		assert.Zero(t, monitor)
	}
}

// A list of monitors is checked before the sandbox, so that a NULL sandbox is enough to see what arrives.
func TestMonitorsArriveAsAList(t *testing.T) {
	wall := newMonitor(t, func() (Monitor, *Error) { return MonitorNewWallClock(1) })
	call := func(monitors ...Monitor) *Error {
		return discard(LoadedSandboxHandleEvent(LoadedSandbox{}, "name", []byte("{}"), true, monitors, Context{}, nil))
	}
	const isNull = "loaded is NULL"
	requireError(t, call(), CodeInvalidArgument, isNull)
	var list []Monitor
	for range 5 {
		list = append(list, wall)
		runtime.GC()
		requireError(t, call(list...), CodeInvalidArgument, isNull)
	}
	requireError(t, call(append(list, wall)...), CodeInvalidArgument, "there are 6 monitors, but a call takes at most 5")
	for i := range list {
		withNull := append([]Monitor(nil), list...)
		withNull[i] = Monitor{}
		requireError(t, call(withNull...), CodeInvalidArgument, fmt.Sprintf("monitors[%d] is NULL", i))
	}
}
