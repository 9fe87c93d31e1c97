package hyperlight_test

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

var errReason = errors.New("the reason")

// ending is a way in which contexts end: when end is called, or by themselves.
type ending struct {
	begin func(context.Context) (ctx context.Context, end func())
	text  string
}

// endings are all ways. Those that end by themselves do so once a guest has had the time to run.
var endings = map[string]ending{
	"cancel": {func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel
	}, "context canceled"},
	"cancel with a cause": {func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(ctx)
		return ctx, func() { cancel(errReason) }
	}, "context canceled: the reason"},
	"cancel above": {func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancel(ctx)
		return context.WithValue(ctx, key{}, "value"), cancel
	}, "context canceled"},
	"deadline": {func(ctx context.Context) (context.Context, func()) {
		return elapses(ctx, nil)
	}, "context deadline exceeded"},
	"deadline with a cause": {func(ctx context.Context) (context.Context, func()) {
		return elapses(ctx, errReason)
	}, "context deadline exceeded: the reason"},
	"of another make": {func(ctx context.Context) (context.Context, func()) {
		own := &ownContext{ctx, make(chan struct{})}
		return own, func() { close(own.done) }
	}, "context canceled"},
}

func elapses(ctx context.Context, cause error) (context.Context, func()) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Second, cause)
	context.AfterFunc(ctx, cancel)
	return ctx, func() {}
}

// ownContext is none of package context's.
type ownContext struct {
	context.Context
	done chan struct{}
}

func (c *ownContext) Done() <-chan struct{} { return c.done }

func (c *ownContext) Err() error {
	select {
	case <-c.done:
		return context.Canceled
	default:
		return nil
	}
}

// beacon is a print function that tells when the guest prints, and a way to wait for that.
func beacon() (option hyperlight.PrintOption, lit <-chan struct{}) {
	c := make(chan struct{}, 1)
	return hyperlight.WithPrintFunc(func(string) {
		select {
		case c <- struct{}{}:
		default:
		}
	}), c
}

// stoppedBy asserts that the end of a context stopped a guest.
func stoppedBy(t *testing.T, ctx context.Context, err error) {
	t.Helper()
	require.ErrorIs(t, err, hyperlight.ErrCancelled)
	require.ErrorIs(t, err, ctx.Err())
	require.ErrorIs(t, err, context.Cause(ctx))
	assert.Equal(t, "context", asError(t, err).Monitor)
}

func TestContextStopsAHandler(t *testing.T) {
	print, lit := beacon()
	loaded := loadHandler(t, printsAndSpins, print)
	snapshot := takeSnapshot(t, loaded)
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			ctx, end := ending.begin(t.Context())
			running := start(ctx, loaded)
			<-lit
			end()
			err := (<-running).err
			stoppedBy(t, ctx, err)
			assert.EqualError(t, err, "hyperlight: HandleEvent: Execution was cancelled by the host. (by context: "+ending.text+")")
			assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
			stats, ok := loaded.LastCallStats()
			assert.True(t, ok)
			assert.Empty(t, stats.TerminatedBy, "a context is no monitor")
			restore(t, loaded, snapshot)
		})
	}
}

// A guest can keep itself busy in many ways.
func TestContextStopsWhatNeverEnds(t *testing.T) {
	for name, source := range map[string]string{
		"await":      `async function handler() { console.log("here"); for (;;) await null; }`,
		"microtasks": `function handler() { console.log("here"); const again = () => Promise.resolve().then(again); return again(); }`,
		"catch":      `function handler() { console.log("here"); for (;;) try { for (;;) {} } catch {} }`,
		"finally":    `function handler() { console.log("here"); try { for (;;) {} } finally { for (;;) {} } }`,
		"regexp":     `function handler() { console.log("here"); return /^(a+)+$/.test("a".repeat(40) + "b"); }`,
		"garbage":    `function handler() { console.log("here"); for (;;) ({ x: [1, 2, 3] }); }`,
		"printing":   `function handler() { for (;;) console.log("here"); }`,
		"sorting":    `function handler() { console.log("here"); [1, 2].sort(() => { for (;;) {} }); }`,
		"JSON":       `function handler() { console.log("here"); return { toJSON() { for (;;) {} } }; }`,
	} {
		t.Run(name, func(t *testing.T) {
			print, lit := beacon()
			loaded := loadHandler(t, source, print)
			ctx, cancel := context.WithCancel(t.Context())
			running := start(ctx, loaded)
			<-lit
			cancel()
			stoppedBy(t, ctx, (<-running).err)
			assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
		})
	}
}

// Upstream offers nothing that stops top-level code.
func TestContextStopsALoad(t *testing.T) {
	const loop = `console.log("here"); for (;;) {}`
	const handler = "\nexport function handler() {}"
	add := func(t *testing.T, sandbox *hyperlight.JSSandbox, source string) *hyperlight.JSSandbox {
		require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
		return sandbox
	}
	for name, prepare := range map[string]func(*testing.T, hyperlight.PrintOption) *hyperlight.JSSandbox{
		"the first": func(t *testing.T, print hyperlight.PrintOption) *hyperlight.JSSandbox {
			return add(t, newSandbox(t, print), loop+handler)
		},
		"one after Unload": func(t *testing.T, print hyperlight.PrintOption) *hyperlight.JSSandbox {
			sandbox, err := loadHandler(t, counter, print).Unload(t.Context())
			require.NoError(t, err)
			closeWith(t, sandbox)
			return add(t, sandbox, loop+handler)
		},
		"several handlers": func(t *testing.T, print hyperlight.PrintOption) *hyperlight.JSSandbox {
			sandbox := add(t, newSandbox(t, print), loop+handler)
			for _, name := range []string{"a", "b", "c", "d"} {
				require.NoError(t, sandbox.AddHandler(name, hyperlight.Script(counter)))
			}
			return sandbox
		},
		"a module": func(t *testing.T, print hyperlight.PrintOption) *hyperlight.JSSandbox {
			sandbox := newSandbox(t, print)
			require.NoError(t, sandbox.AddModule("m", hyperlight.Script(loop+"\nexport const x = 1;")))
			return add(t, sandbox, "import 'user:m';\n"+handler)
		},
		"a file": func(t *testing.T, print hyperlight.PrintOption) *hyperlight.JSSandbox {
			return add(t, newImporter(t, files(map[string]string{"m.js": loop}), print), "import './m.js';\n"+handler)
		},
		"microtasks": func(t *testing.T, print hyperlight.PrintOption) *hyperlight.JSSandbox {
			return add(t, newSandbox(t, print), `console.log("here");
				const again = () => Promise.resolve().then(again);
				await again();
				`+handler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			print, lit := beacon()
			sandbox := prepare(t, print)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				<-lit
				cancel(errReason)
			}()
			_, err := sandbox.Load(ctx)
			stoppedBy(t, ctx, err)
			assert.EqualError(t, err, "hyperlight: Load: Execution was cancelled by the host. (by context: context canceled: the reason)")
			assert.Equal(t, hyperlight.StatusConsumed, sandbox.Status())
			_, err = sandbox.Load(t.Context())
			require.ErrorIs(t, err, hyperlight.ErrConsumed)
		})
	}
}

func TestDeadlineStopsALoad(t *testing.T) {
	sandbox := newSandbox(t)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`for (;;) {} function handler() {}`)))
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := sandbox.Load(ctx)
	stoppedBy(t, ctx, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A host function gets what it needs to see the end: the context ends with the caller's, and for its reason.
func TestContextReachesHostFunctions(t *testing.T) {
	arrived, inside := make(chan struct{}, 1), make(chan context.Context, 1)
	loaded := loadWith(t, functions{"wait": func(ctx context.Context) error {
		arrived <- struct{}{}
		<-ctx.Done()
		inside <- ctx
		return ctx.Err()
	}}, `function handler() { try { host.wait(); } catch {} return "went on"; }`)
	snapshot := takeSnapshot(t, loaded)
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			ctx, end := ending.begin(t.Context())
			running := start(ctx, loaded)
			<-arrived
			end()
			// What it returns, and what the guest makes of that, changes nothing.
			stoppedBy(t, ctx, (<-running).err)
			seen := <-inside
			assert.Equal(t, ctx.Err(), seen.Err())
			assert.Equal(t, context.Cause(ctx), context.Cause(seen))
			assert.Equal(t, ctx.Value(key{}), seen.Value(key{}))
			deadline, ok := ctx.Deadline()
			seenDeadline, seenOK := seen.Deadline()
			assert.Equal(t, deadline, seenDeadline)
			assert.Equal(t, ok, seenOK)
			restore(t, loaded, snapshot)
		})
	}
}

// It ends with the call, too, and with it what was made from it.
func TestContextOfAHostFunctionEndsWithTheCall(t *testing.T) {
	var kept, unseen context.Context
	left := make(chan error, 1)
	loaded := loadWith(t, functions{
		"leave": func(ctx context.Context) {
			assert.NoError(t, ctx.Err())
			kept = ctx
			child, cancel := context.WithCancel(ctx)
			go func() {
				defer cancel()
				<-child.Done()
				left <- context.Cause(child)
			}()
		},
		"keep": func(ctx context.Context) { unseen = ctx },
	}, `function handler() { host.leave(); host.keep(); return 1; }`)
	for range 2 {
		_, err := loaded.HandleEvent(context.Background(), "handler", []byte(`{}`))
		require.NoError(t, err)
		assert.EqualError(t, <-left, "the call that this context was for is over")
		for _, ctx := range []context.Context{kept, unseen} {
			assert.Equal(t, context.Canceled, ctx.Err())
			assert.EqualError(t, context.Cause(ctx), "the call that this context was for is over")
		}
		_, err = loaded.HandleEvent(kept, "handler", []byte(`{}`))
		require.ErrorIs(t, err, context.Canceled, "it is no good for later calls")
		require.ErrorIs(t, err, context.Cause(kept))
	}
}

// Nobody tells a writer or a file system; but the guest does not go on.
func TestContextEndsInPrintFunctionsAndFileSystems(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	loaded := loadHandler(t, `function handler() { console.log("here"); return "went on"; }`,
		hyperlight.WithPrintFunc(func(string) { cancel() }))
	_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
	stoppedBy(t, ctx, err)

	ctx, cancel = context.WithCancel(t.Context())
	opened := 0
	sandbox := newImporter(t, hostile(func(name string) (fs.File, error) {
		opened++
		cancel()
		return fstest.MapFS{}.Open(name)
	}))
	addAt(t, sandbox, "handler", "/", "import './a.js';\nimport './b.js';\nexport function handler() {}")
	_, err = sandbox.Load(ctx)
	stoppedBy(t, ctx, err)
	assert.Equal(t, 1, opened, "nothing more is asked")
}

// brittle is a context that panics while it is told to.
type brittle struct {
	context.Context
	breaks *atomic.Bool
}

func (b brittle) Done() <-chan struct{} {
	b.touch()
	return b.Context.Done()
}

func (b brittle) Err() error {
	b.touch()
	return b.Context.Err()
}

func (b brittle) touch() {
	if b.breaks.Load() {
		panic("brittle")
	}
}

// Contexts may be anybody's code, which must not panic through the native frames below a callback.
func TestContextPanicsWhileTheGuestWaits(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	ctx := brittle{parent, new(atomic.Bool)}
	proto := newProto(t)
	require.NoError(t, proto.Register("host", "set", func(breaks bool) { ctx.breaks.Store(breaks) }))
	require.NoError(t, proto.SetModuleLoader(files(map[string]string{"m.js": ""})))
	loaded := loadProto(t, proto, `
		import { set } from "host";
		async function handler(module) {
			set(true);
			let result = "nothing was imported";
			if (module) result = await import(module).then(() => "imported", () => "not imported");
			set(false);
			return result;
		}`)
	for event, expected := range map[string]string{`""`: `"nothing was imported"`, `"./m.js"`: `"not imported"`} {
		result, err := loaded.HandleEvent(ctx, "handler", []byte(event))
		require.NoError(t, err)
		assert.Equal(t, expected, string(result))
	}
}

// The last that a guest prints is delivered when its call is over: nothing is left to stop.
func TestContextEndsAsTheLastIsPrinted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	loaded := loadHandler(t, `let calls = 0; function handler() { print("here"); return ++calls; }`,
		hyperlight.WithPrintFunc(func(string) { cancel() }))
	result, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
	require.NoError(t, err)
	assert.Equal(t, "1", string(result))
	assert.Equal(t, "2", call(t, loaded, `{}`))
}

func TestContextThatEndedBeforeRunsNothing(t *testing.T) {
	printed := 0
	sandbox := newSandbox(t, hyperlight.WithPrintFunc(func(string) { printed++ }))
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`console.log("loading"); `+counter)))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errReason)
	refused := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errReason)
		require.NotErrorIs(t, err, hyperlight.ErrCancelled)
		assert.Empty(t, asError(t, err).Monitor)
		assert.Equal(t, hyperlight.CodeContextDone, asError(t, err).Code)
	}
	_, err := sandbox.Load(ctx)
	refused(err)
	assert.Equal(t, hyperlight.StatusReady, sandbox.Status())
	assert.Zero(t, printed)
	loaded := load(t, sandbox)
	for range 3 {
		_, err = loaded.HandleEvent(ctx, "handler", []byte(`{}`))
		refused(err)
	}
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	_, ok := loaded.LastCallStats()
	assert.False(t, ok)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
}

// Who waits for a turn goes when his context ends, and leaves no trace.
func TestContextEndsAWait(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, prints, hyperlight.WithPrint(gate))
	running := start(t.Context(), loaded)
	<-gate.arrived
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			ctx, end := ending.begin(t.Context())
			waiting := start(ctx, loaded)
			end()
			err := (<-waiting).err
			require.ErrorIs(t, err, ctx.Err())
			require.ErrorIs(t, err, context.Cause(ctx))
			require.NotErrorIs(t, err, hyperlight.ErrCancelled)
			assert.EqualError(t, err, "hyperlight: HandleEvent: the guest did not run: "+ending.text)
		})
	}
	gate.proceed <- struct{}{}
	assert.Equal(t, outcome{result: "1"}, <-running)
	running = start(t.Context(), loaded)
	<-gate.arrived
	gate.proceed <- struct{}{}
	assert.Equal(t, outcome{result: "2"}, <-running)
}

// What stops a guest first is named, and nothing else.
func TestContextAfterAnotherStop(t *testing.T) {
	gate := newGate()
	loaded := loadHandler(t, printsAndSpins, hyperlight.WithPrint(gate))
	handle := interruptHandle(t, loaded)
	snapshot := takeSnapshot(t, loaded)
	ctx, cancel := context.WithCancel(t.Context())
	running := start(ctx, loaded)
	<-gate.arrived
	handle.Kill()
	cancel()
	gate.proceed <- struct{}{}
	err := (<-running).err
	cancelled(t, loaded, err, "interrupt")
	require.NotErrorIs(t, err, context.Canceled)

	restore(t, loaded, snapshot)
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	go func() { // The guest runs on until the monitor fires.
		<-gate.arrived
		gate.proceed <- struct{}{}
	}()
	_, err = loaded.HandleEvent(ctx, "handler", []byte(`{}`), hyperlight.WithMonitors(hyperlight.WallClock(50*time.Millisecond)))
	cancelled(t, loaded, err, "wall-clock")
	require.NotErrorIs(t, err, context.Canceled)
}

// The five places are the monitors' own.
func TestContextBesideFiveMonitors(t *testing.T) {
	print, lit := beacon()
	loaded := loadHandler(t, printsAndSpins, print)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-lit
		cancel()
	}()
	hour := hyperlight.WallClock(time.Hour)
	_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`),
		hyperlight.WithMonitors(hour, hour, hyperlight.CPUTime(time.Hour), newTrigger(t, "context-test"), hour))
	stoppedBy(t, ctx, err)
}

// Deadlines and monitors at about the same time: each error is that of one of them, as a whole.
func TestContextRacesWithMonitors(t *testing.T) {
	loaded := loadHandler(t, spins)
	snapshot := takeSnapshot(t, loaded)
	byContext := 0
	for range 60 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`), hyperlight.WithMonitors(hyperlight.WallClock(10*time.Millisecond)))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, hyperlight.ErrCancelled) {
			continue // This machine was busy, and the guest did not run.
		}
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		if errors.Is(err, context.DeadlineExceeded) {
			stoppedBy(t, ctx, err)
			byContext++
		} else {
			cancelled(t, loaded, err, "wall-clock")
		}
		restore(t, loaded, snapshot)
	}
	t.Logf("%d of 60 by the context", byContext)
}
