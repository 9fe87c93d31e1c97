package hyperlight_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// echo returns what it gets, unless that is text that says what to do else.
const echo = `
	function handler(event) {
		switch (event) {
		case "throw": throw new Error("thrown");
		case "nothing": return;
		case "eat": function f(n) { return f(n + 1) + 1; } return f(0);
		}
		return event;
	}`

// eventsOf makes events of texts.
func eventsOf(texts ...string) [][]byte {
	events := make([][]byte, len(texts))
	for i, text := range texts {
		events[i] = []byte(text)
	}
	return events
}

// repeated is an event many times.
func repeated(event string, times int) [][]byte {
	return slices.Repeat(eventsOf(event), times)
}

// batch runs "handler", and returns the results as texts, and errors by their index.
func batch(t *testing.T, loaded *hyperlight.LoadedJSSandbox, events [][]byte, opts ...hyperlight.BatchOption) ([]string, map[int]error, error) {
	t.Helper()
	results, err := loaded.HandleEvents(t.Context(), "handler", events, opts...)
	texts, errs := make([]string, len(results)), map[int]error{}
	for i, result := range results {
		texts[i] = string(result.Result)
		if result.Err != nil {
			errs[i] = result.Err
			assert.Nil(t, result.Result, i)
			assert.Equal(t, "HandleEvents", asError(t, result.Err).Op)
		}
	}
	return texts, errs, err
}

func TestBatch(t *testing.T) {
	loaded := loadHandler(t, echo)
	events := []string{`{"a":1}`, `"äöü \u0000"`, `null`, `[[],{}]`, `17`}
	texts, errs, err := batch(t, loaded, eventsOf(events...))
	require.NoError(t, err)
	assert.Empty(t, errs)
	assert.Equal(t, events, texts)

	texts, _, err = batch(t, loaded, eventsOf(`"one"`))
	require.NoError(t, err)
	assert.Equal(t, []string{`"one"`}, texts)
}

func TestBatchOfNothing(t *testing.T) {
	loaded := loadHandler(t, hungry)
	for _, events := range [][][]byte{nil, {}} {
		results, err := loaded.HandleEvents(t.Context(), "handler", events, hyperlight.StopOnError())
		require.NoError(t, err)
		assert.Empty(t, results)
	}
	_, ok := loaded.LastCallStats()
	assert.False(t, ok, "nothing ran")
}

func TestBatchKeepsTheState(t *testing.T) {
	loaded := loadHandler(t, counter)
	const size = 3000
	for round := range 2 {
		texts, errs, err := batch(t, loaded, repeated(`{}`, size), hyperlight.WithGC(false))
		require.NoError(t, err)
		assert.Empty(t, errs)
		assert.Len(t, texts, size)
		for i, text := range texts {
			require.Equal(t, fmt.Sprintf(`{"count":%d}`, round*size+i+1), text)
		}
	}
}

// Results share memory, but nobody reaches a neighbour's.
func TestBatchResultsAreTheCallers(t *testing.T) {
	loaded := loadHandler(t, echo)
	results, err := loaded.HandleEvents(t.Context(), "handler", eventsOf(`"one"`, `"two"`, `"three"`))
	require.NoError(t, err)
	extended := append(results[0].Result, " and more than there is room for"...)
	copy(results[1].Result, "TWO!!")
	assert.Equal(t, `"one" and more than there is room for`, string(extended))
	assert.Equal(t, `TWO!!`, string(results[1].Result))
	assert.Equal(t, `"three"`, string(results[2].Result))
}

func TestLargeBatches(t *testing.T) {
	loaded := loadHandler(t, echo)
	big := `"` + strings.Repeat("x", 100_000) + `"`
	texts, errs, err := batch(t, loaded, eventsOf(big, `1`, big, big))
	require.NoError(t, err)
	assert.Empty(t, errs)
	assert.Equal(t, []string{big, `1`, big, big}, texts)

	// Many events, of which two reach the guest.
	events := repeated("no JSON", 100_000)
	events[0], events[len(events)-1] = []byte(`"first"`), []byte(`"last"`)
	texts, errs, err = batch(t, loaded, events)
	require.NoError(t, err)
	assert.Len(t, errs, len(events)-2)
	assert.Equal(t, `"first"`, texts[0])
	assert.Equal(t, `"last"`, texts[len(events)-1])
	require.ErrorIs(t, errs[50_000], hyperlight.ErrInvalidJSON)
}

func TestBatchErrors(t *testing.T) {
	loaded := loadHandler(t, echo)
	texts, errs, err := batch(t, loaded, [][]byte{
		[]byte(`1`), []byte(`"throw"`), []byte(`{`), []byte("\"a\xff\""), nil, {}, []byte(`"nothing"`),
		[]byte(`"` + strings.Repeat("x", 2<<20) + `"`), []byte(`2`),
	})
	require.NoError(t, err, "all were taken up")
	assert.Equal(t, []string{"1", "", "", "", "", "", "", "", "2"}, texts)
	assert.Len(t, errs, 7)
	require.ErrorIs(t, errs[1], hyperlight.ErrJSException)
	assert.Equal(t, "thrown", asError(t, errs[1]).Exception.Message)
	assert.Contains(t, asError(t, errs[1]).Exception.Stack, "at handler")
	require.ErrorIs(t, errs[2], hyperlight.ErrInvalidJSON)
	require.ErrorIs(t, errs[3], hyperlight.ErrInvalidArgument)
	assert.EqualError(t, errs[3], "hyperlight: HandleEvents: the event is not UTF-8: invalid byte at offset 2")
	require.ErrorIs(t, errs[4], hyperlight.ErrInvalidJSON)
	require.ErrorIs(t, errs[5], hyperlight.ErrInvalidJSON)
	require.ErrorIs(t, errs[6], hyperlight.ErrNoValue)
	require.ErrorIs(t, errs[7], hyperlight.ErrBufferTooSmall)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())

	// Each error is HandleEvent's own.
	for _, event := range []string{`"throw"`, `{`, `"nothing"`} {
		_, errs, _ := batch(t, loaded, eventsOf(event))
		_, single := loaded.HandleEvent(t.Context(), "handler", []byte(event))
		expected, found := *asError(t, single), *asError(t, errs[0])
		expected.Op = "HandleEvents"
		assert.Equal(t, expected, found)
	}

	results, err := loaded.HandleEvents(t.Context(), "nobody", repeated(`{}`, 2))
	require.NoError(t, err)
	assert.Len(t, results, 2)
	require.ErrorIs(t, results[1].Err, hyperlight.ErrHandlerNotFound)
}

func TestStopOnError(t *testing.T) {
	loaded := loadHandler(t, echo)
	for _, events := range [][][]byte{
		eventsOf(`1`, `"throw"`, `3`),
		eventsOf(`1`, `{`, `3`),
		eventsOf(`1`, "\xff", `3`),
		eventsOf(`1`, `"nothing"`), // Also the last event ends it.
	} {
		texts, errs, err := batch(t, loaded, events, hyperlight.StopOnError())
		assert.Equal(t, []string{"1", ""}, texts)
		require.Error(t, err)
		assert.Same(t, errs[1], err)
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	}
	texts, _, err := batch(t, loaded, eventsOf(`1`, `2`), hyperlight.StopOnError())
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2"}, texts)
}

func TestBatchEndsWithAPoisonedSandbox(t *testing.T) {
	loaded := loadHandler(t, hungry)
	call(t, loaded, `{}`)
	snapshot := takeSnapshot(t, loaded)
	for _, after := range []int{0, 2} {
		texts, errs, err := batch(t, loaded, append(eventsOf(`{}`, `{"eat":true}`), repeated(`{}`, after)...))
		assert.Equal(t, []string{`{"count":2}`, ""}, texts)
		require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
		assert.Same(t, errs[1], err)
		assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())

		texts, errs, err = batch(t, loaded, eventsOf(`{}`, `{`))
		require.ErrorIs(t, err, hyperlight.ErrPoisoned)
		assert.EqualError(t, err, "hyperlight: HandleEvents: The sandbox was poisoned (restore a snapshot, unload or close it)")
		assert.Empty(t, texts)
		assert.Empty(t, errs)
		restore(t, loaded, snapshot)
	}
	texts, _, err := batch(t, loaded, repeated(`{}`, 2))
	require.NoError(t, err)
	assert.Equal(t, []string{`{"count":2}`, `{"count":3}`}, texts)
}

// A panic in the native library costs the sandbox, but no result of before.
func TestBatchEndsWithAnUnrecoverableSandbox(t *testing.T) {
	sandbox := newImporter(t, files(map[string]string{"a.js": "export const a = 1;"}))
	addAt(t, sandbox, "handler", "/", manyImports)
	loaded := load(t, sandbox)
	few, many := `{"times":1,"prefix":"./","unit":"a/","units":2}`, `{"times":1,"prefix":"./","unit":"a/","units":200000}`
	texts, errs, err := batch(t, loaded, eventsOf(few, many, few))
	assert.Len(t, texts, 2)
	assert.Contains(t, texts[0], "Error resolving module")
	require.ErrorIs(t, err, hyperlight.ErrGuestAborted)
	assert.Same(t, errs[1], err)
	assert.Equal(t, hyperlight.StatusUnrecoverable, loaded.Status())
	texts, _, err = batch(t, loaded, eventsOf(few))
	require.ErrorIs(t, err, hyperlight.ErrInternal)
	assert.Empty(t, texts)
}

func TestBatchArguments(t *testing.T) {
	loaded := loadHandler(t, counter)
	refused := func(message string, results []hyperlight.EventResult, err error) {
		t.Helper()
		require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		assert.EqualError(t, err, "hyperlight: HandleEvents: "+message)
		assert.Empty(t, results)
	}
	handle := func(name string, opts ...hyperlight.BatchOption) ([]hyperlight.EventResult, error) {
		return loaded.HandleEvents(t.Context(), name, eventsOf(`{}`), opts...)
	}
	//lint:ignore SA1012 that is the point
	results, err := loaded.HandleEvents(nil, "handler", eventsOf(`{}`))
	refused("ctx is nil; pass context.Background()", results, err)
	for name, message := range map[string]string{
		"":        "the handler name is empty",
		"a\x00b":  "the handler name contains a NUL byte at offset 1",
		"abc\xff": "the handler name is not UTF-8: invalid byte at offset 3",
	} {
		results, err := handle(name)
		refused(message, results, err)
	}
	long := hyperlight.WallClock(1 << 40)
	for message, opts := range map[string][]hyperlight.BatchOption{
		"an option is nil": {hyperlight.StopOnError(), nil},
		"WithStats needs somewhere to put them, not nil": {hyperlight.WithStats(nil)},
		"print limit is -1, below zero":                  {hyperlight.WithPrintLimit(-1)},
		"timeout is -1ns, below zero":                    {hyperlight.WithBatchMonitors(hyperlight.WallClock(-1))},
		"cpu_timeout must be non-zero":                   {hyperlight.WithBatchMonitors(long, hyperlight.CPUTime(0))},
		"a monitor is nil":                               {hyperlight.WithMonitors(long), hyperlight.WithBatchMonitors(long, nil)},
		"there are 6 monitors, but a call takes at most 5": {
			hyperlight.WithMonitors(long, long, long), hyperlight.WithBatchMonitors(long, long), hyperlight.WithBatchMonitors(long),
		},
	} {
		results, err := handle("handler", opts...)
		refused(message, results, err)
	}
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`), "nothing ran")
}

// The options of HandleEvent are for each event.
func TestBatchOptionsReachTheGuest(t *testing.T) {
	loaded := loadHandler(t, `
		const weak = [];
		function handler(event) {
			const cycle = {};
			cycle.self = cycle;
			weak.push(new WeakRef(cycle));
			return weak.filter((w) => w.deref() !== undefined).length;
		}`)
	texts, _, err := batch(t, loaded, repeated(`{}`, 3), hyperlight.WithGC(false))
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2", "3"}, texts)
	texts, _, err = batch(t, loaded, repeated(`{}`, 3), hyperlight.WithGC(false), hyperlight.WithGC(true))
	require.NoError(t, err)
	assert.Equal(t, []string{"4", "1", "1"}, texts)
	texts, _, err = batch(t, loaded, repeated(`{}`, 2))
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "1"}, texts)
}

func TestPrintOfABatch(t *testing.T) {
	var usual, special strings.Builder
	loaded := loadHandler(t, `function handler(event) { print(event); return 1; }`, hyperlight.WithPrint(&usual))
	_, _, err := batch(t, loaded, eventsOf(`"one\n"`, `"two "`, `"and three\n"`, `"the rest"`))
	require.NoError(t, err)
	assert.Equal(t, "one\ntwo and three\nthe rest", usual.String())
	_, _, err = batch(t, loaded, eventsOf(`"a"`, `"b"`), hyperlight.WithPrint(&special))
	require.NoError(t, err)
	assert.Equal(t, "ab", special.String())
	assert.Equal(t, "one\ntwo and three\nthe rest", usual.String())

	var stats hyperlight.ExecutionStats
	special.Reset()
	_, _, err = batch(t, loaded, eventsOf(`"12345"`, `"12345"`, `"12345"`, `""`),
		hyperlight.WithPrint(&special), hyperlight.WithPrintLimit(8), hyperlight.WithStats(&stats))
	require.NoError(t, err)
	assert.Equal(t, "12345123", special.String())
	assert.Equal(t, 7, stats.PrintDropped)
	last, ok := loaded.LastCallStats()
	assert.True(t, ok)
	assert.Equal(t, 7, last.PrintDropped)
	call(t, loaded, `""`)
	last, _ = loaded.LastCallStats()
	assert.Zero(t, last.PrintDropped)
}

func TestStatsOfABatch(t *testing.T) {
	loaded := loadHandler(t, burns)
	stats := hyperlight.ExecutionStats{TerminatedBy: "left over"}
	_, errs, err := batch(t, loaded, eventsOf(`{"ms":20}`, `{"ms":10,"throw":true}`, `{`, `{"ms":5}`), hyperlight.WithStats(&stats))
	require.NoError(t, err)
	assert.Len(t, errs, 2)
	last, ok := loaded.LastCallStats()
	assert.True(t, ok)
	assert.GreaterOrEqual(t, last.WallClock.Milliseconds(), int64(5))
	assert.GreaterOrEqual(t, stats.WallClock.Milliseconds(), last.WallClock.Milliseconds()+30)
	assert.Greater(t, stats.CPUTime, last.CPUTime)
	assert.True(t, stats.HasCPUTime)
	assert.Empty(t, stats.TerminatedBy)

	_, _, err = batch(t, loaded, repeated(`{`, 3), hyperlight.WithStats(&stats))
	require.NoError(t, err)
	assert.Zero(t, stats, "no event counts")
	again, _ := loaded.LastCallStats()
	assert.Equal(t, last, again)
}

// Calls do not get between the events of a batch.
func TestBatchesTakeTurns(t *testing.T) {
	loaded := loadHandler(t, `let count = 0; function handler(event) { return ++count; }`)
	const callers, rounds, size = 4, 5, 20
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			for range rounds {
				results, err := loaded.HandleEvents(t.Context(), "handler", repeated(`{}`, size), hyperlight.WithGC(false))
				if !assert.NoError(t, err) || !assert.Len(t, results, size) {
					return
				}
				var first int
				_, _ = fmt.Sscan(string(results[0].Result), &first)
				for i, result := range results {
					assert.Equal(t, fmt.Sprint(first+i), string(result.Result))
				}
				_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithGC(false))
				assert.NoError(t, err)
			}
		})
	}
	wait.Wait()
	assert.Equal(t, fmt.Sprint(callers*rounds*(size+1)+1), call(t, loaded, `{}`))
}

// Go moves stacks and collects garbage while a batch runs; the events that are left are what they were.
func TestBatchWhileGoCollects(t *testing.T) {
	var deep func(n int) int
	deep = func(n int) int {
		var frame [256]byte
		frame[n%256] = byte(n)
		if n == 0 {
			return int(frame[0])
		}
		return deep(n-1) + int(frame[1])
	}
	loaded := loadWith(t, functions{"disturb": func() { runtime.GC(); deep(300) }},
		`function handler(event) { host.disturb(); return event; }`)
	var results []hyperlight.EventResult
	var err error
	done := make(chan struct{})
	go func() { // With a small stack.
		defer close(done)
		events := make([][]byte, 100)
		for i := range events {
			events[i] = fmt.Appendf(nil, `"%0*d"`, i, i)
		}
		results, err = loaded.HandleEvents(t.Context(), "handler", events)
	}()
	<-done
	require.NoError(t, err)
	for i, result := range results {
		require.NoError(t, result.Err)
		require.Equal(t, fmt.Sprintf(`"%0*d"`, i, i), string(result.Result))
	}
}

// What a call costs in memory does not grow with the number of its events, but for what the caller gets.
func TestAllocationsOfABatch(t *testing.T) {
	runtime.LockOSThread() // To hand the batch to another thread takes more.
	defer runtime.UnlockOSThread()
	loaded := loadHandler(t, echo)
	ctx := context.Background()
	opts := []hyperlight.BatchOption{hyperlight.WithGC(false)}
	for _, size := range []int{1, 100} {
		events := repeated(`{"a":1}`, size)
		allocations := testing.AllocsPerRun(20, func() {
			if _, err := loaded.HandleEvents(ctx, "handler", events, opts...); err != nil {
				t.Error(err)
			}
		})
		assert.LessOrEqual(t, allocations, 8.0, "%d events", size)
	}
}
