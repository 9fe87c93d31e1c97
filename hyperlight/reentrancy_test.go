package hyperlight_test

import (
	"context"
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// queuing is everything that waits for its turn at a loaded sandbox.
func queuing(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, snapshot *hyperlight.Snapshot) map[string]error {
	_, handled := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
	_, taken := loaded.Snapshot(ctx)
	_, unloaded := loaded.Unload(ctx)
	return map[string]error{
		"HandleEvent":       handled,
		"Snapshot":          taken,
		"Restore":           loaded.Restore(ctx, snapshot),
		"Unload":            unloaded,
		"GenerateCrashdump": loaded.GenerateCrashdump(ctx),
	}
}

func areReentrant(t *testing.T, errs map[string]error) {
	t.Helper()
	for op, err := range errs {
		require.ErrorIs(t, err, hyperlight.ErrReentrant, op)
		assert.EqualError(t, err, "hyperlight: "+op+": the sandbox waits for the function that makes this call (use another sandbox)")
	}
}

// contexts are those that a host function may use.
var contexts = map[string]func(context.Context) context.Context{
	"its own":      func(ctx context.Context) context.Context { return ctx },
	"a derived":    func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, 1) },
	"uncancelled":  func(ctx context.Context) context.Context { return context.WithoutCancel(ctx) },
	"of nobody":    func(context.Context) context.Context { return context.Background() },
	"with timeout": func(context.Context) context.Context { return newDeadline(time.Hour) },
}

func newDeadline(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// Whatever context it uses, a host function that uses its own sandbox would wait for itself.
func TestHostFunctionUsesItsSandbox(t *testing.T) {
	for name, choose := range contexts {
		t.Run(name, func(t *testing.T) {
			var loaded *hyperlight.LoadedJSSandbox
			var snapshot *hyperlight.Snapshot
			loaded = loadWith(t, functions{"again": func(ctx context.Context) hyperlight.Status {
				areReentrant(t, queuing(choose(ctx), loaded, snapshot))
				_, err := loaded.InterruptHandle()
				assert.NoError(t, err, "it does not wait")
				return loaded.Status()
			}}, `let calls = 0; function handler() { return [host.again(), ++calls]; }`)
			snapshot = takeSnapshot(t, loaded)
			for i := range 2 {
				assert.Equal(t, fmt.Sprintf("[0,%d]", i+1), call(t, loaded, `{}`), "nothing has changed")
			}
		})
	}
}

// The error of one that returns it comes back as any other's.
func TestReentrantErrorComesBack(t *testing.T) {
	var loaded *hyperlight.LoadedJSSandbox
	loaded = loadWith(t, functions{"again": func(ctx context.Context) error {
		_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
		return err
	}}, `function handler() { host.again(); }`)
	err := fails(t, loaded, `{}`)
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	require.ErrorIs(t, err, hyperlight.ErrReentrant)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// A -> B -> A, and A -> B -> C -> A: found by the context, wherever it was made.
func TestHostFunctionsUseEachOthersSandboxes(t *testing.T) {
	const sandboxes = 3
	var all [sandboxes]*hyperlight.LoadedJSSandbox
	for i := range all {
		all[i] = loadWith(t, functions{"next": func(ctx context.Context, depth int) (string, error) {
			next := all[(i+1)%sandboxes]
			if depth == 1 {
				next = all[0]
			}
			result, err := next.HandleEvent(context.WithValue(ctx, key{}, depth), "handler", fmt.Append(nil, depth-1))
			return string(result), err
		}}, `function handler(depth) { return depth > 0 ? host.next(depth) : "end"; }`)
	}
	for depth := 1; depth <= sandboxes; depth++ {
		_, err := all[0].HandleEvent(t.Context(), "handler", fmt.Append(nil, depth))
		require.ErrorIs(t, err, hyperlight.ErrReentrant, depth)
		for _, loaded := range all {
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
			assert.Equal(t, `"end"`, call(t, loaded, `0`))
		}
	}
}

func TestPrintFunctionUsesItsSandbox(t *testing.T) {
	for name, source := range map[string]string{
		"a line":   `function handler() { console.log("line"); return 1; }`,
		"the rest": `function handler() { print("rest"); return 1; }`,
	} {
		t.Run(name, func(t *testing.T) {
			var loaded *hyperlight.LoadedJSSandbox
			var snapshot *hyperlight.Snapshot
			prints := 0
			loaded = loadHandler(t, source, hyperlight.WithPrintFunc(func(string) {
				prints++
				areReentrant(t, queuing(context.Background(), loaded, snapshot))
			}))
			snapshot = takeSnapshot(t, loaded)
			assert.Equal(t, `1`, call(t, loaded, `{}`))
			assert.Equal(t, 1, prints)
		})
	}
}

// Top-level code calls host functions, too; and most methods of the sandbox that is loading have no context.
func TestLoadingSandboxIsUsedByItsFunctions(t *testing.T) {
	var sandbox *hyperlight.JSSandbox
	use := func(ctx context.Context) map[string]error {
		_, loaded := sandbox.Load(ctx)
		return map[string]error{
			"AddHandler":        sandbox.AddHandler("x", hyperlight.Script(counter)),
			"RemoveHandler":     sandbox.RemoveHandler("handler"),
			"ClearHandlers":     sandbox.ClearHandlers(),
			"AddModule":         sandbox.AddModule("x", hyperlight.Script(counter)),
			"AddModuleNS":       sandbox.AddModuleNS("x", hyperlight.Script(counter), "ns"),
			"RemoveModule":      sandbox.RemoveModule("x"),
			"RemoveModuleNS":    sandbox.RemoveModuleNS("x", "ns"),
			"ClearModules":      sandbox.ClearModules(),
			"GenerateCrashdump": sandbox.GenerateCrashdump(ctx),
			"Load":              loaded,
		}
	}
	var used atomic.Int32
	check := func(ctx context.Context) {
		used.Add(1)
		areReentrant(t, use(ctx))
		areReentrant(t, use(context.Background()))
	}
	proto := newProto(t, hyperlight.WithPrintFunc(func(string) { check(context.Background()) }))
	require.NoError(t, proto.Register("host", "use", check))
	require.NoError(t, proto.SetModuleLoader(hostile(func(name string) (fs.File, error) {
		check(context.Background())
		return files(map[string]string{"m.js": ""}).Open(name)
	})))
	sandbox = boot(t, proto)
	addAt(t, sandbox, "handler", "/", `
		import { use } from "host";
		import "./m.js";
		use();
		console.log("here");
		export function handler() { return "loaded"; }`)
	loaded := load(t, sandbox)
	assert.Equal(t, `"loaded"`, call(t, loaded, `{}`))
	assert.GreaterOrEqual(t, used.Load(), int32(3))
}

// Nobody can tell whose goroutine this is. Its own context ends its wait.
func TestGoroutineOfAHostFunctionUsesTheSandbox(t *testing.T) {
	var loaded *hyperlight.LoadedJSSandbox
	loaded = loadWith(t, functions{"again": func(ctx context.Context) error {
		inherited, own := make(chan error), make(chan error)
		go func() {
			_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
			inherited <- err
		}()
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
			own <- err
		}()
		assert.ErrorIs(t, <-inherited, hyperlight.ErrReentrant)
		assert.ErrorIs(t, <-own, context.DeadlineExceeded)
		return nil
	}}, `function handler() { host.again(); return "done"; }`)
	assert.Equal(t, `"done"`, call(t, loaded, `{}`))
}

// Others who wait for a sandbox whose guest waits for a host function are no part of that.
func TestWaitersAreNotReentrant(t *testing.T) {
	arrived, proceed := make(chan struct{}), make(chan struct{})
	var kept context.Context
	first := loadWith(t, functions{"wait": func(ctx context.Context) {
		kept = ctx
		arrived <- struct{}{}
		<-proceed
	}}, `let calls = 0; function handler() { host.wait(); return ++calls; }`)
	// This one's host function waits for the first sandbox, by several contexts.
	second := loadWith(t, functions{"ask": func(ctx context.Context, which string) (string, error) {
		result, err := first.HandleEvent(contexts[which](ctx), "handler", []byte(`{}`))
		return string(result), err
	}}, `function handler(event) { return host.ask(event); }`)

	running := start(t.Context(), first)
	<-arrived
	old := context.WithoutCancel(kept)
	waiting, calls := make(chan outcome), 1
	wait := func(use func() ([]byte, error)) {
		go func() {
			result, err := use()
			waiting <- outcome{string(result), err}
		}()
	}
	for which := range contexts {
		wait(func() ([]byte, error) {
			return second.HandleEvent(t.Context(), "handler", fmt.Appendf(nil, "%q", which))
		})
		calls++
	}
	proceed <- struct{}{}
	require.NoError(t, (<-running).err)
	for range calls - 1 {
		<-arrived
		proceed <- struct{}{}
		require.NoError(t, (<-waiting).err)
	}

	// The context of a call that is over says nothing about the one that runs.
	running = start(t.Context(), first)
	<-arrived
	wait(func() ([]byte, error) { return first.HandleEvent(old, "handler", []byte(`{}`)) })
	proceed <- struct{}{}
	require.NoError(t, (<-running).err)
	<-arrived
	proceed <- struct{}{}
	require.NoError(t, (<-waiting).err)
}

// A host function that got another call's context from somewhere waits for what it says it does.
func TestContextOfAnotherCall(t *testing.T) {
	gate := newGate()
	busy := loadHandler(t, prints, hyperlight.WithPrint(gate))
	given := make(chan context.Context, 1)
	giver := loadWith(t, functions{"give": func(ctx context.Context) {
		given <- ctx
		<-ctx.Done()
	}}, `function handler() { host.give(); }`)
	ctx, cancel := context.WithCancel(t.Context())
	giving := start(ctx, giver)
	foreign := <-given
	running := start(t.Context(), busy)
	<-gate.arrived
	waiting := start(foreign, busy)
	gate.proceed <- struct{}{}
	require.NoError(t, (<-running).err)
	<-gate.arrived
	gate.proceed <- struct{}{}
	require.NoError(t, (<-waiting).err, "the giver's call does not wait for this one")
	assert.ErrorIs(t, mayHandle(foreign, giver), hyperlight.ErrReentrant, "the giver's own sandbox does")
	cancel()
	require.ErrorIs(t, (<-giving).err, hyperlight.ErrCancelled)
}

func mayHandle(ctx context.Context, loaded *hyperlight.LoadedJSSandbox) error {
	_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
	return err
}

// A -> B -> C -> D, and the values on the way back; also at the top level of A.
func TestNestedThreeDeep(t *testing.T) {
	next := loadHandler(t, `function handler(path) { if (path.length > 9) throw new Error(path); return path + "D"; }`)
	for _, name := range []string{"C", "B"} {
		inner := next
		next = loadWith(t, functions{"ask": func(ctx context.Context, path string) (string, error) {
			var result string
			answer, err := inner.HandleEvent(ctx, "handler", fmt.Appendf(nil, "%q", path))
			if err == nil {
				_, err = fmt.Sscanf(string(answer), "%q", &result)
			}
			return result, err
		}}, fmt.Sprintf(`function handler(path) { return host.ask(path + %q) + %[1]q; }`, name))
	}
	proto := newProto(t)
	require.NoError(t, proto.Register("host", "ask", func(ctx context.Context, path string) (string, error) {
		answer, err := next.HandleEvent(ctx, "handler", fmt.Appendf(nil, "%q", path))
		return string(answer), err
	}))
	loaded := loadProto(t, proto, `
		import * as host from "host";
		const top = host.ask("t");
		function handler(event) { return [top, host.ask(event + "A")]; }`)
	for range 3 {
		assert.Equal(t, `["\"tBCDCB\"","\"xABCDCB\""]`, call(t, loaded, `"x"`))
	}
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"long text"`))
	assert.ErrorContains(t, err, "long textABC")
	assert.Equal(t, `["\"tBCDCB\"","\"xABCDCB\""]`, call(t, loaded, `"x"`))

	// The end of the outermost context stops all of them.
	print, lit := beacon()
	innermost := loadHandler(t, printsAndSpins, print)
	outer := loadWith(t, functions{"ask": func(ctx context.Context) error {
		_, err := innermost.HandleEvent(ctx, "handler", []byte(`{}`))
		return err
	}}, `function handler() { try { host.ask(); } catch {} return "went on"; }`)
	ctx, cancel := context.WithCancel(t.Context())
	running := start(ctx, outer)
	<-lit
	cancel()
	stoppedBy(t, ctx, (<-running).err)
	assert.Equal(t, hyperlight.StatusPoisoned, innermost.Status())
}
