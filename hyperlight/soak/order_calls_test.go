package soak_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// stopping is a way to stop a handler that loops.
type stopping struct {
	name    string // as the error's Monitor has it; "close" is Close
	monitor hyperlight.Monitor
	now     func(l *oneLife, cancel func()) // nil: the monitor does it
}

// stops are all ways.
func (w *world) stops() []stopping {
	trigger, i := w.triggers[0], 0
	if w.oneIn(2) {
		trigger, i = w.triggers[1], 1
	}
	return []stopping{
		{"context", nil, func(_ *oneLife, cancel func()) { cancel() }},
		{"interrupt", nil, func(l *oneLife, _ func()) {
			if handle, err := l.loaded.InterruptHandle(); err == nil {
				handle.Kill()
			}
		}},
		{"order", trigger, func(*oneLife, func()) {
			trigger.Fire()
			w.fired[i] = true
		}},
		{"close", nil, func(l *oneLife, _ func()) { _ = l.loaded.Close() }},
		{"wall-clock", hyperlight.WallClock(5 * time.Millisecond), nil},
		{"cpu-time", hyperlight.CPUTime(5 * time.Millisecond), nil},
	}
}

// outcome is how a loop ends that is stopped in this way.
func (s stopping) outcome() outcome {
	result := outcome{err: hyperlight.ErrCancelled, prints: "looping\n", after: hyperlight.StatusPoisoned, counts: true}
	switch s.name {
	case "close":
		result.err, result.after = hyperlight.ErrClosed, hyperlight.StatusClosed
	case "wall-clock", "cpu-time":
		result.prints = "" // Maybe.
	}
	return result
}

// stop picks a way. Closing is one that costs a boot.
func (w *world) stop() stopping {
	s := pickFrom(w, w.stops())
	if s.name == "close" && !w.oneIn(8) {
		return w.stop()
	}
	return s
}

// event picks one; those that poison are rare.
func (w *world) event() string {
	switch {
	case w.oneIn(25):
		return loop
	case w.oneIn(25):
		return pickFrom(w, []string{recurse, flood, "{"})
	}
	return pickFrom(w, []string{count, count, count, look, throw, nothing, say})
}

// handler picks one that is there; sometimes, one that is not.
func (w *world) handler(l *oneLife) string {
	if there := slices.Sorted(maps.Keys(l.guest.handlers)); len(there) > 0 && !w.oneIn(20) {
		return pickFrom(w, there)
	}
	return pickFrom(w, append(handlerNames, "", "unknown"))
}

// call runs a handler, with some options.
func (w *world) call(l *oneLife) {
	handler, event := w.handler(l), w.event()
	var s *stopping
	if event == loop {
		picked := w.stop()
		s = &picked
	}
	w.handle(l, handler, event, s)
}

// handle runs a handler, and compares what becomes of it with the model. s is how a loop is stopped.
func (w *world) handle(l *oneLife, handler, event string, s *stopping) {
	w.t.Helper()
	ctx, cancel, over := w.context()
	defer cancel()
	stopped := outcome{}
	by := "nothing"
	if s != nil {
		stopped, by = s.outcome(), s.name
	}
	w.note(l, "loaded.HandleEvent(%q, %s), stopped by %s", handler, event, by)
	var stats hyperlight.ExecutionStats
	var printed strings.Builder
	opts := []hyperlight.CallOption{hyperlight.WithStats(&stats), hyperlight.WithGC(w.oneIn(2)), hyperlight.WithPrintFunc(func(text string) {
		printed.WriteString(text)
		if s != nil && s.now != nil {
			s.now(l, cancel)
		}
	})}
	expected := outcome{err: firstOf(over, refusedFor(l.loadedIs)), after: l.loadedIs}
	if expected.err == nil {
		switch {
		case s != nil && s.monitor == w.triggers[0] && w.fired[0], s != nil && s.monitor == w.triggers[1] && w.fired[1]:
			expected = l.refusesFired(handler, event)
		default:
			expected = l.handles(handler, event, stopped)
		}
	}
	if s != nil && s.monitor != nil && (s.now != nil || expected == stopped) { // Clocks may stop what does not loop, too.
		opts = append(opts, hyperlight.WithMonitors(s.monitor))
	}
	result, err := l.loaded.HandleEvent(ctx, handler, []byte(event), opts...)
	w.expect(l, "HandleEvent", err, expected.err)
	l.loadedIs = expected.after
	l.gone = l.gone || expected.after == hyperlight.StatusClosed
	l.counted = l.counted || expected.counts
	if got := string(result); err == nil && got != fmt.Sprint(expected.value) {
		w.fail(l, "the handler returns %s; the model says %d", got, expected.value)
	}
	if printed.String() != expected.prints && (s == nil || s.now != nil) {
		w.fail(l, "the handler prints %q; the model says %q", &printed, expected.prints)
	}
	if took := stats.WallClock > 0; took != expected.counts {
		w.fail(l, "statistics are %+v; the model says that there are some is %v", stats, expected.counts)
	}
	if expected.err == hyperlight.ErrCancelled {
		w.checkMonitor(l, err, by, stats)
	}
}

// refusesFired is what becomes of a call with a trigger that had fired before.
func (l *oneLife) refusesFired(handler, event string) outcome {
	if handler == "" {
		return outcome{err: hyperlight.ErrInvalidArgument, after: l.loadedIs}
	}
	return outcome{err: hyperlight.ErrCancelled, after: l.loadedIs}
}

// checkMonitor compares who stopped the guest.
func (w *world) checkMonitor(l *oneLife, err error, by string, stats hyperlight.ExecutionStats) {
	w.t.Helper()
	if got := err.(*hyperlight.Error).Monitor; got != by {
		w.fail(l, "stopped by %q; the model says %q", got, by)
	}
	terminatedBy := by
	if by == "context" || by == "interrupt" || stats.WallClock == 0 {
		terminatedBy = ""
	}
	if stats.TerminatedBy != terminatedBy {
		w.fail(l, "statistics are %+v; the model says that %q was it", stats, terminatedBy)
	}
}

// batch runs a handler with several events, of which one may loop.
func (w *world) batch(l *oneLife) {
	handler := w.handler(l)
	events := make([]string, 1+w.random.IntN(5))
	for i := range events {
		events[i] = w.event()
	}
	s := w.stop()
	for s.monitor != nil {
		s = w.stop()
	}
	stopOnError := w.oneIn(2)
	ctx, cancel, over := w.context()
	defer cancel()
	w.note(l, "loaded.HandleEvents(%q, %v), stopped by %s, StopOnError %v", handler, events, s.name, stopOnError)
	var opts []hyperlight.BatchOption
	if stopOnError {
		opts = append(opts, hyperlight.StopOnError())
	}
	opts = append(opts, hyperlight.WithPrintFunc(func(text string) {
		if text == "looping\n" {
			s.now(l, cancel)
		}
	}))
	outcomes, end := l.handlesAll(handler, events, over, s.outcome(), stopOnError)
	bytes := make([][]byte, len(events))
	for i, event := range events {
		bytes[i] = []byte(event)
	}
	results, err := l.loaded.HandleEvents(ctx, handler, bytes, opts...)
	w.expect(l, "HandleEvents", err, end)
	if len(results) != len(outcomes) {
		w.fail(l, "the batch has %d results; the model says %d", len(results), len(outcomes))
	}
	for i, expected := range outcomes {
		l.loadedIs = expected.after
		l.counted = l.counted || expected.counts
		w.expect(l, "HandleEvents", results[i].Err, expected.err)
		if got := string(results[i].Result); expected.err == nil && got != fmt.Sprint(expected.value) {
			w.fail(l, "event %d returns %s; the model says %d", i, got, expected.value)
		}
	}
	l.gone = l.gone || l.loadedIs == hyperlight.StatusClosed
}

// handlesAll is what becomes of many events, and what ends them.
func (l *oneLife) handlesAll(handler string, events []string, over error, stopped outcome, stopOnError bool) (outcomes []outcome, end error) {
	poisoned, nameless := error(nil), error(nil)
	if handler == "" {
		nameless = hyperlight.ErrInvalidArgument
	}
	if l.loadedIs == hyperlight.StatusPoisoned {
		poisoned = hyperlight.ErrPoisoned
	}
	if end := firstOf(over, refusedFor(l.loadedIs), nameless, poisoned); end != nil {
		return nil, end
	}
	for _, event := range events {
		o := l.handles(handler, event, stopped)
		outcomes = append(outcomes, o)
		if o.err != nil && (stopOnError || o.after != hyperlight.StatusReady) {
			return outcomes, o.err
		}
	}
	return outcomes, nil
}
