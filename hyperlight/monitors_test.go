package hyperlight_test

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	// spins never returns.
	spins = `function handler(event) { while (true) {} }`
	// maySpin returns 1, unless the event says that it should not.
	maySpin = `function handler(event) { while (event.spin) {} return 1; }`
	// printsAndSpins prints a line first.
	printsAndSpins = `function handler(event) { console.log("here"); while (true) {} }`

	// soon is how long a kill may take in an emulated machine.
	soon = 10 * time.Second
)

func newTrigger(t *testing.T, name string) *hyperlight.Trigger {
	t.Helper()
	trigger, err := hyperlight.NewTrigger(name)
	require.NoError(t, err)
	return trigger
}

// cancelled asserts that a call was stopped by the host.
func cancelled(t *testing.T, loaded *hyperlight.LoadedJSSandbox, err error, monitor string) {
	t.Helper()
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	assert.Equal(t, monitor, asError(t, err).Monitor)
	assert.EqualError(t, err, "hyperlight: HandleEvent: Execution was cancelled by the host. (by "+monitor+")")
	assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
}

// reload makes a sandbox usable again.
func reload(t *testing.T, loaded *hyperlight.LoadedJSSandbox, source string) *hyperlight.LoadedJSSandbox {
	t.Helper()
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
	loaded, err = sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	return loaded
}

func monitored(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string, monitors ...hyperlight.Monitor) error {
	t.Helper()
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(event), hyperlight.WithMonitors(monitors...))
	return err
}

func TestMonitorsStopEndlessLoops(t *testing.T) {
	loaded := loadHandler(t, spins)
	long := hyperlight.WallClock(time.Hour)
	for _, test := range []struct {
		name     string
		monitors []hyperlight.Monitor
	}{
		{"wall-clock", []hyperlight.Monitor{hyperlight.WallClock(50 * time.Millisecond)}},
		{"cpu-time", []hyperlight.Monitor{hyperlight.CPUTime(50 * time.Millisecond)}},
		{"wall-clock", []hyperlight.Monitor{hyperlight.WallClock(1)}},
		{"cpu-time", []hyperlight.Monitor{hyperlight.CPUTime(1)}},
		{"cpu-time", []hyperlight.Monitor{long, hyperlight.CPUTime(30 * time.Millisecond)}},
		{"wall-clock", []hyperlight.Monitor{
			long, long, hyperlight.CPUTime(math.MaxInt64), hyperlight.WallClock(math.MaxInt64),
			hyperlight.WallClock(30 * time.Millisecond),
		}},
	} {
		began := time.Now()
		err := monitored(t, loaded, `{}`, test.monitors...)
		assert.Less(t, time.Since(began), soon)
		cancelled(t, loaded, err, test.name)
		loaded = reload(t, loaded, spins)
	}
}

func TestMonitorsThatDoNotFire(t *testing.T) {
	loaded := loadHandler(t, counter)
	long, idle := hyperlight.WallClock(time.Hour), newTrigger(t, "idle")
	for count := 1; count <= 5; count++ {
		monitors := []hyperlight.Monitor{long, hyperlight.CPUTime(time.Hour), idle, idle, long}[:count]
		result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithMonitors(monitors...))
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf(`{"count":%d}`, count), string(result))
	}
}

func TestTriggerStopsACall(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, printsAndSpins, hyperlight.WithPrint(gate))
	trigger := newTrigger(t, "quota")
	assert.Equal(t, "quota", trigger.Name())
	for _, reset := range []bool{false, true} {
		done := make(chan error)
		go func() {
			done <- monitored(t, loaded, `{}`, hyperlight.WallClock(time.Hour), trigger)
		}()
		<-gate.arrived
		trigger.Fire()
		if reset {
			trigger.Reset() // Too late for this call.
		}
		gate.proceed <- struct{}{}
		cancelled(t, loaded, <-done, "quota")
		stats, ok := loaded.LastCallStats()
		assert.True(t, ok)
		assert.Equal(t, "quota", stats.TerminatedBy)
		loaded = reload(t, loaded, printsAndSpins)
		if !reset {
			// It is still fired, and the guest does not run.
			err := monitored(t, loaded, `{}`, trigger)
			require.ErrorIs(t, err, hyperlight.ErrCancelled)
			assert.Equal(t, "quota", asError(t, err).Monitor)
			assert.Equal(t, "Execution monitor failed to start: the trigger 'quota' has fired", asError(t, err).Message)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
			_, ok := loaded.LastCallStats()
			assert.False(t, ok)
			trigger.Reset()
		}
	}
}

// One trigger, many sandboxes.
func TestTriggerStopsAllItsCalls(t *testing.T) {
	trigger := newTrigger(t, "shutdown")
	var group sync.WaitGroup
	arrived := make(chan struct{})
	spinning := hyperlight.WithPrintFunc(func(string) { arrived <- struct{}{} })
	for range 3 {
		loaded := loadHandler(t, printsAndSpins, hyperlight.WithUpstreamDefaults(), spinning)
		group.Go(func() { cancelled(t, loaded, monitored(t, loaded, `{}`, trigger), "shutdown") })
	}
	bystander := loadHandler(t, counter, hyperlight.WithUpstreamDefaults())
	for range 3 {
		<-arrived
	}
	trigger.Fire()
	group.Wait()
	assert.Equal(t, `{"count":1}`, call(t, bystander, `{}`))
}

func TestMonitorsAddUp(t *testing.T) {
	loaded := loadHandler(t, spins)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`),
		hyperlight.WithMonitors(hyperlight.WallClock(50*time.Millisecond)),
		hyperlight.WithMonitors(hyperlight.CPUTime(time.Hour)), hyperlight.WithMonitors())
	cancelled(t, loaded, err, "wall-clock")
}

func TestBadMonitors(t *testing.T) {
	loaded := loadHandler(t, counter)
	second := hyperlight.WallClock(time.Second)
	var none *hyperlight.Trigger
	for _, test := range []struct {
		monitors []hyperlight.Monitor
		message  string
	}{
		{[]hyperlight.Monitor{hyperlight.WallClock(0)}, "timeout must be non-zero"},
		{[]hyperlight.Monitor{hyperlight.CPUTime(0)}, "cpu_timeout must be non-zero"},
		{[]hyperlight.Monitor{second, hyperlight.WallClock(-time.Second)}, "timeout is -1s, below zero"},
		{[]hyperlight.Monitor{second, hyperlight.CPUTime(-1)}, "cpu_timeout is -1ns, below zero"},
		{[]hyperlight.Monitor{second, nil}, "a monitor is nil"},
		{[]hyperlight.Monitor{none}, "a trigger is nil or a zero value; NewTrigger makes usable ones"},
		{[]hyperlight.Monitor{&hyperlight.Trigger{}}, "a trigger is nil or a zero value; NewTrigger makes usable ones"},
		{[]hyperlight.Monitor{second, second, second, second, second, second}, "there are 6 monitors, but a call takes at most 5"},
	} {
		err := monitored(t, loaded, `{}`, test.monitors...)
		require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		assert.Equal(t, test.message, asError(t, err).Message)
	}
	// Upstream checks the name before the monitors, and the event after them.
	_, err := loaded.HandleEvent(t.Context(), "", []byte(`{`), hyperlight.WithMonitors(second))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.Equal(t, "Handler name must not be empty", asError(t, err).Message)
	require.ErrorIs(t, monitored(t, loaded, `{`, second), hyperlight.ErrInvalidJSON)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))

	none.Fire()
	none.Reset()
	assert.Empty(t, none.Name())
	_, err = hyperlight.NewTrigger("interrupt")
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	_, err = hyperlight.NewTrigger(strings.Repeat("x", 65))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
}

// Upstream forgets a kill that comes before the guest is entered, as it does when the event is big.
func TestEarlyMonitorIsNotLost(t *testing.T) {
	loaded := loadHandler(t, spins, hyperlight.WithInputBufferSize(4<<20))
	event := `{"fill":"` + strings.Repeat("x", 1<<20) + `"}`
	for range 20 {
		cancelled(t, loaded, monitored(t, loaded, event, hyperlight.WallClock(time.Millisecond)), "wall-clock")
		loaded = reload(t, loaded, spins)
	}
}

// A monitor that fires as its call ends does not stop the next one.
func TestMonitorsDoNotStopTheNextCall(t *testing.T) {
	loaded := loadHandler(t, counter)
	var stopped, late int
	for range 200 {
		stats := hyperlight.ExecutionStats{}
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithStats(&stats),
			hyperlight.WithMonitors(hyperlight.WallClock(time.Millisecond)))
		switch {
		case err != nil:
			cancelled(t, loaded, err, "wall-clock")
			loaded = reload(t, loaded, counter)
			stopped++
		case stats.TerminatedBy != "":
			late++
		}
		_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		require.NoError(t, err)
	}
	t.Logf("of 200 calls %d were stopped, and %d had ended when the monitor fired", stopped, late)
}

func TestMonitorsOfAPrintingCall(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, printsAndSpins, hyperlight.WithPrint(gate))
	done := make(chan error)
	const limit = time.Second // The guest prints before that is over, also on a slow machine.
	go func() { done <- monitored(t, loaded, `{}`, hyperlight.WallClock(limit)) }()
	<-gate.arrived
	time.Sleep(limit) // It fires while the guest waits for the writer.
	gate.proceed <- struct{}{}
	cancelled(t, loaded, <-done, "wall-clock")
}

// Several sandboxes at once, each with monitors of its own.
func TestMonitorsInParallel(t *testing.T) {
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			loaded := loadHandler(t, maySpin, hyperlight.WithUpstreamDefaults(), hyperlight.WithPrint(io.Discard))
			for round := range 4 {
				require.NoError(t, monitored(t, loaded, `{}`, hyperlight.WallClock(time.Hour)))
				if round%2 == i%2 {
					cancelled(t, loaded, monitored(t, loaded, `{"spin":true}`, hyperlight.CPUTime(10*time.Millisecond)), "cpu-time")
					loaded = reload(t, loaded, maySpin)
				}
			}
		})
	}
	group.Wait()
}

const monitorStartVariable = "HYPERLIGHT_TEST_MONITOR_START"

// Where upstream's threads for monitors cannot be started, over which it would panic, a monitored handler does not run,
// and nothing else suffers. This is a process of its own: such threads are started once.
func TestMonitorFailsToStart(t *testing.T) {
	if os.Getenv(monitorStartVariable) != "" {
		testMonitorFailsToStart(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestMonitorFailsToStart$", "-test.v")
	child.Env = append(os.Environ(), monitorStartVariable+"=1", "HYPERLIGHT_MONITOR_THREADS=18446744073709551615")
	output, err := child.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "--- PASS: TestMonitorFailsToStart")
}

func testMonitorFailsToStart(t *testing.T) {
	loaded := loadHandler(t, counter)
	for range 2 {
		err := monitored(t, loaded, `{}`, hyperlight.WallClock(time.Hour), hyperlight.CPUTime(time.Hour))
		require.ErrorIs(t, err, hyperlight.ErrMonitorFailedToStart)
		assert.Equal(t, "Monitor runtime is unavailable: HYPERLIGHT_MONITOR_THREADS is 18446744073709551615, more than 1024",
			asError(t, err).Message)
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		_, ok := loaded.LastCallStats()
		assert.False(t, ok)
	}
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`), "the handler did not run before")
	interruptHandle(t, loaded) // It needs no such thread.
}

// Names of triggers are kept for ever, so a process gets 64. This is a process of its own, then.
func TestTriggerNamesRunOut(t *testing.T) {
	const variable = "HYPERLIGHT_TEST_TRIGGERS"
	if os.Getenv(variable) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestTriggerNamesRunOut$", "-test.v")
		child.Env = append(os.Environ(), variable+"=1")
		output, err := child.CombinedOutput()
		require.NoError(t, err, string(output))
		require.Contains(t, string(output), "--- PASS: TestTriggerNamesRunOut")
		return
	}
	for range 3 {
		for i := range 64 {
			newTrigger(t, fmt.Sprint("trigger ", i))
		}
		_, err := hyperlight.NewTrigger("one more")
		require.ErrorIs(t, err, hyperlight.ErrTooManyTriggers)
		assert.Equal(t, "this process has used 64 names of triggers already; reuse one", asError(t, err).Message)
	}
}
