package soak_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestLeaks does everything, again and again, and compares what the process holds in the middle and at the end. It is a
// process of its own: metrics begin before the first sandbox, and nobody else's memory counts.
func TestLeaks(t *testing.T) {
	if inChild(t, plainMalloc) {
		everythingManyTimes(t)
	}
}

// leakSlack is by how much each may grow; -1 says that it does not matter. One object that is lost with each call, be it
// native or Go's, is 45,000 objects in the full size. One that is lost with each lifecycle is only a dozen in the quick
// size, of which memory says nothing, and all of Go's objects neither: the runtime keeps goroutines, threads and what
// they have waited with for later, hundreds of objects more or less. The objects of our own do say it.
var leakSlack = usage{
	resident: 2048, native: 48, goObjects: 2000, goMemory: 256, ownObjects: 8,
	callbacks: 0, openFiles: 0, threads: 2, goroutines: 1, mappings: 16,
}

// countable are those that are the same at once after the warm-up, so their growth is from there to the end. What the
// others have at that time still grows, as caches do, and theirs is from the middle to the end.
var countable = []int{ownObjects, callbacks, openFiles, goroutines}

func everythingManyTimes(t *testing.T) {
	smallPages(t)
	countOwnObjects()
	require.NoError(t, hyperlight.EnableMetrics())
	forwarder, err := hyperlight.ForwardLogs(slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	l := newLeaker(t)
	kinds := l.kinds()
	rounds := size(15, 300)
	warm, middle := max(rounds/10, 2), rounds/2+rounds/20
	var warmed, before usage
	var series int
	for round := range rounds {
		l.lifecycle(t, round)
		for range 7 {
			l.takeSnapshot(t)
		}
		for range 334 {
			l.call(t, kinds)
		}
		l.restore(t) // What the guest has touched, and upstream remembers, is the same whenever it is measured.
		for l.restores < 67*(round+1) {
			l.restore(t)
		}
		switch round + 1 {
		case warm:
			countSeries(t) // What JSON remembers of these types is ours, too.
			warmed = settled(t)
			report(t, "after warm-up", warmed)
		case middle:
			before, series = settled(t), countSeries(t)
			report(t, "in the middle", before)
		}
	}
	for _, i := range countable {
		before[i] = warmed[i]
	}
	after := comesDownTo(t, before, leakSlack)
	report(t, "at the end", after)
	require.LessOrEqual(t, countSeries(t), series)
	figure(t, "series of metrics in the middle and at the end", []int{series, countSeries(t)})
	figure(t, "lifecycles, snapshots, restores, calls", []int{rounds, l.snapshots, l.restores, l.called})
	require.NoError(t, forwarder.Stop(t.Context()))
}

func report(t *testing.T, when string, now usage) {
	t.Helper()
	for i, name := range usageNames {
		figure(t, name+" "+when, now[i])
	}
}

func countSeries(t *testing.T) int {
	t.Helper()
	metrics, err := hyperlight.Metrics()
	require.NoError(t, err)
	return len(metrics)
}

// leaker has a sandbox that lives as long as the test, beside those that come and go.
type leaker struct {
	loaded  *hyperlight.LoadedJSSandbox
	clean   *hyperlight.Snapshot
	trigger *hyperlight.Trigger
	handle  *hyperlight.InterruptHandle
	cancel  context.CancelFunc // ends the call that runs

	snapshots, restores, called int
}

func newLeaker(t *testing.T) *leaker {
	l := &leaker{}
	proto := newProto(t, l.functions(), hyperlight.WithUpstreamDefaults())
	require.NoError(t, proto.RegisterRaw("host", "raw", raw()))
	sandbox := boot(t, proto)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(guestOfLeaker)))
	var err error
	l.loaded, err = sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, l.loaded)
	l.clean = snapshot(t, l.loaded)
	l.trigger, err = hyperlight.NewTrigger("soak")
	require.NoError(t, err)
	l.handle, err = l.loaded.InterruptHandle()
	require.NoError(t, err)
	return l
}

var errOfHost = errors.New("no")

// functions are what the guest calls, each with a mark.
func (l *leaker) functions() functions {
	m := newMark()
	return functions{
		"add":    func(a, b float64) float64 { m.keep(); return a + b },
		"bytes":  func(data []byte, text string) []byte { m.keep(); return append(data, text...) },
		"fail":   func() error { m.keep(); return errOfHost },
		"panic":  func() { m.keep(); panic("boom") },
		"goexit": func() { m.keep(); runtime.Goexit() },
		"fire":   func() { m.keep(); l.trigger.Fire() },
		"kill":   func() { m.keep(); l.handle.Kill() },
		"cancel": func(ctx context.Context) { m.keep(); l.cancel(); <-ctx.Done() },
	}
}

// raw is the one that takes care of JSON itself.
func raw() hyperlight.RawFunc {
	m := newMark()
	return func(_ context.Context, args hyperlight.RawValue) (hyperlight.RawValue, error) {
		m.keep()
		return args, nil
	}
}

const guestOfLeaker = `
	import * as host from "host";
	const does = {
		echo: (e) => e,
		add: () => host.add(1, 2),
		bytes: () => host.bytes(new Uint8Array([1, 2, 3]), "text").length,
		raw: () => host.raw(new Uint8Array(100), { a: [1] }).length,
		badArguments: () => host.add("x"),
		fail: () => host.fail(),
		panic: () => host.panic(),
		goexit: () => host.goexit(),
		caught: () => { try { host.fail(); } catch (e) { return "caught"; } },
		print: () => { for (let i = 0; i < 5; i++) console.log("line", i); return 0; },
		nothing: () => undefined,
		throws: () => { throw new TypeError("thrown"); },
		throwsText: () => { throw "text"; },
		spin: () => { for (;;) {} },
		fire: () => { host.fire(); for (;;) {} },
		kill: () => { host.kill(); for (;;) {} },
		cancel: () => { host.cancel(); for (;;) {} },
		memory: () => { const all = []; for (;;) all.push(new Uint8Array(100000)); },
	};
	function handler(event) { return does[event.do](event); }`

// callKind is one of the things that a call can be, and how it ends.
type callKind struct {
	do   func(ctx context.Context) error
	want error
}

// kinds are all of them. The last ones leave the sandbox poisoned.
func (l *leaker) kinds() []callKind {
	event := func(does string, opts ...hyperlight.CallOption) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := l.loaded.HandleEvent(ctx, "handler", []byte(`{"do":"`+does+`"}`), opts...)
			return err
		}
	}
	typed := func(ctx context.Context) error {
		_, err := hyperlight.Call[map[string]string](ctx, l.loaded, "handler", map[string]string{"do": "echo"})
		return err
	}
	typedWrongly := func(ctx context.Context) error {
		_, err := hyperlight.Call[map[string]int](ctx, l.loaded, "handler", map[string]string{"do": "echo"})
		return err
	}
	untypable := func(ctx context.Context) error {
		_, err := hyperlight.Call[int](ctx, l.loaded, "handler", make(chan int))
		return err
	}
	notJSON := func(ctx context.Context) error {
		_, err := l.loaded.HandleEvent(ctx, "handler", []byte(`{`))
		return err
	}
	noHandler := func(ctx context.Context) error {
		_, err := l.loaded.HandleEvent(ctx, "nobody", []byte(`{}`))
		return err
	}
	over := func(context.Context) error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return event("echo")(ctx)
	}
	batch := func(last string, opts ...hyperlight.BatchOption) func(context.Context) error {
		return func(ctx context.Context) error {
			events := [][]byte{[]byte(`{"do":"add"}`), []byte(`{"do":"throws"}`), []byte(`{"do":"` + last + `"}`)}
			_, err := l.loaded.HandleEvents(ctx, "handler", events, opts...)
			return err
		}
	}
	var stats hyperlight.ExecutionStats
	return []callKind{
		{event("echo"), nil},
		{event("echo", hyperlight.WithGC(false)), nil},
		{event("echo", long, hyperlight.WithMonitors(l.trigger), hyperlight.WithStats(&stats)), nil},
		{event("echo", long, long, long), hyperlight.ErrInvalidArgument},
		{typed, nil},
		{typedWrongly, hyperlight.ErrResultDecoding},
		{untypable, hyperlight.ErrEventEncoding},
		{notJSON, hyperlight.ErrInvalidJSON},
		{noHandler, hyperlight.ErrHandlerNotFound},
		{over, context.Canceled},
		{event("nothing"), hyperlight.ErrNoValue},
		{event("add"), nil},
		{event("bytes"), nil},
		{event("raw"), nil},
		{event("caught"), nil},
		{event("badArguments"), hyperlight.ErrJSException},
		{event("fail"), errOfHost},
		{event("panic"), hyperlight.ErrHostFunctionPanicked},
		{event("goexit"), hyperlight.ErrGoexit},
		{event("throws"), hyperlight.ErrJSException},
		{event("throwsText"), hyperlight.ErrJSException},
		{event("print"), nil},
		{event("print", hyperlight.WithPrint(io.Discard)), nil},
		{event("print", hyperlight.WithPrint(io.Discard), hyperlight.WithPrintLimit(3)), nil},
		{batch("bytes", hyperlight.WithBatchMonitors(hyperlight.WallClock(time.Hour))), nil},
		{batch("bytes", hyperlight.StopOnError()), hyperlight.ErrJSException},
		{batch("spin", short), hyperlight.ErrCancelled},
		{event("spin", short), hyperlight.ErrCancelled},
		{event("spin", hyperlight.WithMonitors(hyperlight.CPUTime(time.Millisecond))), hyperlight.ErrCancelled},
		{event("fire", hyperlight.WithMonitors(l.trigger)), hyperlight.ErrCancelled},
		{event("kill"), hyperlight.ErrCancelled},
		{event("cancel"), context.Canceled},
		{event("memory"), hyperlight.ErrOutOfMemory},
	}
}

var (
	long  = hyperlight.WithMonitors(hyperlight.WallClock(time.Hour), hyperlight.CPUTime(time.Hour))
	short = hyperlight.WithMonitors(hyperlight.WallClock(10 * time.Millisecond))
)

// call makes the next kind of call.
func (l *leaker) call(t *testing.T, kinds []callKind) {
	kind := kinds[l.called%len(kinds)]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.cancel = cancel
	err := kind.do(ctx)
	require.ErrorIs(t, err, kind.want, l.called%len(kinds))
	l.trigger.Reset()
	if l.loaded.Status() == hyperlight.StatusPoisoned {
		l.restore(t)
	}
	l.called++
}

func (l *leaker) restore(t *testing.T) {
	require.NoError(t, l.loaded.Restore(context.Background(), l.clean))
	l.restores++
}

// takeSnapshot takes one that is new, since the guest has run.
func (l *leaker) takeSnapshot(t *testing.T) {
	_, err := l.loaded.HandleEvent(context.Background(), "handler", []byte(`{"do":"echo"}`))
	require.NoError(t, err)
	taken, err := l.loaded.Snapshot(context.Background())
	require.NoError(t, err)
	require.NoError(t, taken.Close())
	l.snapshots++
}

// lifecycle is a sandbox from New to Close. Some end before that.
func (l *leaker) lifecycle(t *testing.T, round int) {
	ctx, m := context.Background(), newMark()
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults(), hyperlight.WithPrintFunc(func(string) { m.keep() }))
	require.NoError(t, err)
	defer proto.Close()
	for name, function := range l.functions() {
		require.NoError(t, proto.Register("host", name, function))
		require.NoError(t, proto.Register("host", name, function), "it replaces the first")
	}
	require.NoError(t, proto.RegisterRaw("host", "raw", raw()))
	require.ErrorIs(t, proto.Register("host", "no", func() chan int { m.keep(); return nil }), hyperlight.ErrInvalidArgument)
	require.ErrorIs(t, proto.Register("host", "\x00", func() { m.keep() }), hyperlight.ErrInvalidArgument)
	long := strings.Repeat("x", 1<<20)
	require.ErrorIs(t, proto.Register("host", long, func() { m.keep() }), hyperlight.ErrBufferTooSmall)
	if round%5 == 1 {
		l.failingBoot(t)
	}
	sandbox, err := proto.LoadRuntime(ctx)
	require.NoError(t, err)
	defer sandbox.Close()
	require.ErrorIs(t, proto.Register("host", "late", func() { m.keep() }), hyperlight.ErrConsumed)
	source := guestOfLeaker
	if round%3 == 1 {
		source = "this is no JavaScript"
	}
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
	loaded, err := sandbox.Load(ctx)
	if round%3 == 1 {
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		return
	}
	require.NoError(t, err)
	defer loaded.Close()
	_, err = loaded.HandleEvent(ctx, "handler", []byte(`{"do":"bytes"}`))
	require.NoError(t, err)
	if round%3 == 2 {
		l.files(t, loaded)
		return
	}
	again, err := loaded.Unload(ctx)
	require.NoError(t, err)
	defer again.Close()
	require.NoError(t, again.AddHandler("handler", hyperlight.Script(counter)))
	reloaded, err := again.Load(ctx)
	require.NoError(t, err)
	defer reloaded.Close()
	_, err = reloaded.HandleEvent(ctx, "handler", []byte(`{}`))
	require.NoError(t, err)
}

// failingBoot has as little scratch as New accepts, which is not enough for the guest.
func (l *leaker) failingBoot(t *testing.T) {
	const page, tooLittle = 4096, 2_146_304
	m := newMark()
	print := hyperlight.WithPrintFunc(func(string) { m.keep() })
	scratch := tooLittle
	proto, err := hyperlight.New(print, hyperlight.WithScratchSize(scratch))
	for ; errors.Is(err, hyperlight.ErrMemorySize) && scratch < 2*tooLittle; scratch += page {
		proto, err = hyperlight.New(print, hyperlight.WithScratchSize(scratch))
	}
	require.NoError(t, err)
	defer proto.Close()
	require.NoError(t, proto.Register("host", "function", func() { m.keep() }))
	_, err = proto.LoadRuntime(context.Background())
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
}

// files saves a snapshot, loads it, and restores it.
func (l *leaker) files(t *testing.T, loaded *hyperlight.LoadedJSSandbox) {
	folder := filepath.Join(t.TempDir(), "snapshots")
	taken, err := loaded.Snapshot(context.Background())
	require.NoError(t, err)
	defer taken.Close()
	digest, err := taken.Save(folder, "soak")
	require.NoError(t, err)
	_, err = hyperlight.LoadSnapshot(folder, "other")
	require.Error(t, err)
	saved, err := hyperlight.LoadSnapshot(folder, digest)
	require.NoError(t, err)
	defer saved.Close()
	require.NoError(t, loaded.Restore(context.Background(), saved))
	require.NoError(t, os.RemoveAll(folder))
}
