package soak_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// The steps of TestOrder but for those that run handlers. Each is for what a sandbox is at the moment, and, by the
// step "too late", for what it is no more.
var (
	protoSteps = []step{
		{"Register", 40, (*world).register},
		{"SetModuleLoader", 30, (*world).setModuleLoader},
		{"LoadRuntime", 80, (*world).loadRuntime},
		{"proto.Close", 4, (*world).closeProto},
	}
	jsSteps = []step{
		{"AddHandler", 60, (*world).addHandler},
		{"AddModule", 20, (*world).addModule},
		{"RemoveHandler", 12, (*world).removeHandler},
		{"RemoveModule", 4, (*world).removeModule},
		{"ClearHandlers", 3, (*world).clearHandlers},
		{"ClearModules", 2, (*world).clearModules},
		{"Load", 50, (*world).load},
		{"sandbox.Close", 1, (*world).closeJS},
	}
	loadedSteps = []step{
		{"HandleEvent", 400, (*world).call},
		{"HandleEvents", 60, (*world).batch},
		{"InterruptHandle", 10, (*world).interruptHandle},
		{"Snapshot", 25, (*world).snapshot},
		{"Restore", 90, (*world).restore},
		{"Unload", 20, (*world).unload},
		{"loaded.Close", 2, (*world).closeLoaded},
	}
	anySteps = []step{
		{"too late", 15, (*world).tooLate},
		{"Kill between calls", 8, (*world).killBetween},
		{"Fire", 5, (*world).fire},
		{"Reset", 10, (*world).reset},
		{"Save and LoadSnapshot", 3, (*world).saveAndLoad},
		{"snapshot.Close", 6, (*world).closeSnapshot},
		{"New that fails", 5, (*world).newThatFails},
	}
)

func (l *oneLife) isProto() bool { return l.protoIs == hyperlight.StatusReady }
func (l *oneLife) isJS() bool    { return l.js != nil && l.jsIs == hyperlight.StatusReady }
func (l *oneLife) isLoaded() bool {
	return l.loaded != nil && (l.loadedIs == hyperlight.StatusReady || l.loadedIs == hyperlight.StatusPoisoned)
}

// possible are the steps that a sandbox can take.
func (l *oneLife) possible() []step {
	steps := slices.Clone(anySteps)
	if l.isProto() {
		steps = append(steps, protoSteps...)
	}
	if l.isJS() {
		steps = append(steps, jsSteps...)
	}
	if l.isLoaded() {
		steps = append(steps, loadedSteps...)
	}
	return steps
}

// tooLate uses what was consumed or closed.
func (w *world) tooLate(l *oneLife) {
	var steps []step
	if !l.isProto() {
		steps = append(steps, protoSteps...)
	}
	if l.js != nil && !l.isJS() {
		steps = append(steps, jsSteps...)
	}
	if l.loaded != nil && !l.isLoaded() {
		steps = append(steps, loadedSteps...)
	}
	if len(steps) > 0 {
		w.pick(steps).take(w, l)
	}
}

// configurations are cheap to boot, and to take snapshots of.
var configurations = []func(*hyperlight.Config){
	func(*hyperlight.Config) {},
	func(c *hyperlight.Config) { c.InputBufferSize = 32 << 10 },
	func(c *hyperlight.Config) { c.ScratchSize, c.OutputBufferSize = 2<<20, 64<<10 },
	func(c *hyperlight.Config) { c.HeapSize = 5 << 20 },
}

// born makes a new sandbox.
func (w *world) born() *oneLife {
	w.numbers++
	l := &oneLife{number: w.numbers, handlers: map[string]handlerKind{}, modules: map[string]bool{}}
	l.built = hyperlight.Config{HeapSize: 4 << 20, ScratchSize: 1 << 20, InputBufferSize: 16 << 10, OutputBufferSize: 16 << 10}
	pickFrom(w, configurations)(&l.built)
	proto, err := hyperlight.New(
		hyperlight.WithHeapSize(l.built.HeapSize), hyperlight.WithScratchSize(l.built.ScratchSize),
		hyperlight.WithInputBufferSize(l.built.InputBufferSize), hyperlight.WithOutputBufferSize(l.built.OutputBufferSize),
		hyperlight.WithPrintFunc(func(text string) {
			if l.printed != nil {
				l.printed(text)
			}
		}))
	require.NoError(w.t, err)
	l.proto = proto
	l.built.InterruptRetryDelay = proto.Config().InterruptRetryDelay
	l.config = l.built
	w.note(l, "New %+v", l.built)
	return l
}

func (w *world) newThatFails(l *oneLife) {
	bad := pickFrom(w, []struct {
		option hyperlight.Option
		err    error
	}{
		{hyperlight.WithHeapSize(1 << 20), hyperlight.ErrMemorySize},
		{hyperlight.WithHeapSize(-1), hyperlight.ErrInvalidArgument},
		{hyperlight.WithScratchSize(5_000_000), hyperlight.ErrInvalidArgument},
		{hyperlight.WithInputBufferSize(1 << 40), hyperlight.ErrMemorySize},
		{hyperlight.WithOutputBufferSize(0), hyperlight.ErrMemorySize},
		{hyperlight.WithInterruptSignalOffset(200), hyperlight.ErrInvalidArgument},
		{hyperlight.WithPrintLimit(-1), hyperlight.ErrInvalidArgument},
		{nil, hyperlight.ErrInvalidArgument},
	})
	w.note(l, "New with what should be %v", bad.err)
	_, err := hyperlight.New(hyperlight.WithUpstreamDefaults(), bad.option)
	w.expect(l, "New", err, bad.err)
}

// context is that of a step: one that ends if the step takes for ever, or that has ended.
func (w *world) context() (ctx context.Context, cancel func(), err error) {
	if w.oneIn(30) {
		return endedContext, func() {}, context.Canceled
	}
	ctx, cancel = context.WithTimeout(context.Background(), 2*patience)
	return ctx, cancel, nil
}

func (w *world) register(l *oneLife) {
	w.note(l, `proto.Register("host", "same")`)
	err := l.proto.Register("host", "same", func(n int) int { return n })
	w.expect(l, "Register", err, refusedFor(l.protoIs))
	l.functions = l.functions || err == nil
}

func (w *world) setModuleLoader(l *oneLife) {
	w.note(l, "proto.SetModuleLoader")
	err := l.proto.SetModuleLoader(fstest.MapFS{inFile: {Data: []byte(counting)}})
	w.expect(l, "SetModuleLoader", err, refusedFor(l.protoIs))
	l.files = l.files || err == nil
}

func (w *world) loadRuntime(l *oneLife) {
	ctx, cancel, over := w.context()
	defer cancel()
	w.note(l, "proto.LoadRuntime")
	js, err := l.proto.LoadRuntime(ctx)
	w.expect(l, "LoadRuntime", err, firstOf(over, refusedFor(l.protoIs)))
	if err == nil {
		l.protoIs, l.js, l.jsIs = hyperlight.StatusConsumed, js, hyperlight.StatusReady
	}
}

var handlerNames = []string{"a", "b", "c/d", "é 😊"}

func (w *world) addHandler(l *oneLife) {
	name, kind := pickFrom(w, handlerNames), pickFrom(w, goodKinds)
	for l.lacks(kind) && !w.oneIn(20) { // A load that fails costs a boot.
		kind = pickFrom(w, goodKinds)
	}
	if w.oneIn(50) {
		kind = pickFrom(w, badKinds)
	}
	source := kind.source
	_, taken := l.handlers[name]
	err := refusedFor(l.jsIs)
	if err == nil && taken {
		err = hyperlight.ErrHandlerExists
	}
	switch w.random.IntN(20) {
	case 0:
		name, err = "", firstOf(refusedFor(l.jsIs), hyperlight.ErrInvalidArgument)
	case 1: // This is looked at before anything else.
		source, err = source+"\x00", firstOf(refusedFor(l.jsIs), hyperlight.ErrInvalidArgument)
	case 2:
		source += fmt.Sprintf("//%*d", l.built.InputBufferSize, 0)
		err = firstOf(refusedFor(l.jsIs), hyperlight.ErrBufferTooSmall)
	}
	w.note(l, "sandbox.AddHandler(%q, %s)", name, kind.name)
	w.expect(l, "AddHandler", l.js.AddHandler(name, hyperlight.Script(source)), err)
	if err == nil {
		l.handlers[name] = kind
	}
}

func (w *world) removeHandler(l *oneLife) {
	name := pickFrom(w, append(handlerNames, ""))
	err := refusedFor(l.jsIs)
	if _, there := l.handlers[name]; err == nil && !there {
		err = hyperlight.ErrHandlerNotFound
		if name == "" {
			err = hyperlight.ErrInvalidArgument
		}
	}
	w.note(l, "sandbox.RemoveHandler(%q)", name)
	w.expect(l, "RemoveHandler", l.js.RemoveHandler(name), err)
	if err == nil {
		delete(l.handlers, name)
	}
}

func (w *world) clearHandlers(l *oneLife) {
	w.note(l, "sandbox.ClearHandlers")
	err := l.js.ClearHandlers()
	w.expect(l, "ClearHandlers", err, refusedFor(l.jsIs))
	if err == nil {
		clear(l.handlers)
	}
}

var moduleNamespaces = []string{hyperlight.DefaultModuleNamespace, "other", "host", "a:b"}

// module is a namespace, and whether there is a module "shared" in it; err, why there can be none.
func (w *world) module(l *oneLife) (namespace string, there bool, err error) {
	namespace = pickFrom(w, moduleNamespaces[:2])
	if w.oneIn(6) {
		namespace, err = pickFrom(w, moduleNamespaces[2:]), hyperlight.ErrInvalidArgument
	}
	return namespace, l.modules[namespace+":shared"], firstOf(refusedFor(l.jsIs), err)
}

func (w *world) addModule(l *oneLife) {
	namespace, there, err := w.module(l)
	if err == nil && there {
		err = hyperlight.ErrModuleExists
	}
	w.note(l, "sandbox.AddModuleNS(%q)", namespace)
	w.expect(l, "AddModuleNS", l.js.AddModuleNS("shared", hyperlight.Script(counting), namespace), err)
	if err == nil {
		l.modules[namespace+":shared"] = true
	}
}

func (w *world) removeModule(l *oneLife) {
	namespace, there, err := w.module(l)
	if err == nil && !there {
		err = hyperlight.ErrModuleNotFound
	}
	w.note(l, "sandbox.RemoveModuleNS(%q)", namespace)
	w.expect(l, "RemoveModuleNS", l.js.RemoveModuleNS("shared", namespace), err)
	if err == nil {
		delete(l.modules, namespace+":shared")
	}
}

func (w *world) clearModules(l *oneLife) {
	w.note(l, "sandbox.ClearModules")
	err := l.js.ClearModules()
	w.expect(l, "ClearModules", err, refusedFor(l.jsIs))
	if err == nil {
		clear(l.modules)
	}
}

// load loads what was added. Top-level code that loops is stopped once it runs.
func (w *world) load(l *oneLife) {
	ctx, cancel, over := w.context()
	defer cancel()
	stop, how := cancel, "context"
	if len(l.interrupts) > 0 && w.oneIn(2) {
		stop, how = func() { l.interrupts[0].Kill() }, "interrupt"
	}
	l.printed = func(string) { stop() }
	defer func() { l.printed = nil }()
	w.note(l, "sandbox.Load of %d handlers, loops stopped by %s", len(l.handlers), how)
	loaded, err := l.js.Load(ctx)
	if refused := firstOf(over, refusedFor(l.jsIs)); refused != nil {
		w.expect(l, "Load", err, refused)
		return
	}
	if len(l.handlers) == 0 {
		w.expect(l, "Load", err, hyperlight.ErrNoHandlers)
		return
	}
	failures := l.loads()
	w.expect(l, "Load", err, failures...)
	l.jsIs = hyperlight.StatusConsumed
	if len(failures) > 0 {
		l.gone = true
		return
	}
	l.loaded, l.loadedIs, l.counted, l.needs = loaded, hyperlight.StatusReady, false, l.files
	l.guest = guestState{maps.Clone(l.handlers), map[string]int{}}
}

func (w *world) unload(l *oneLife) {
	ctx, cancel, over := w.context()
	defer cancel()
	w.note(l, "loaded.Unload")
	js, err := l.loaded.Unload(ctx)
	w.expect(l, "Unload", err, firstOf(over, refusedFor(l.loadedIs)))
	if err == nil {
		l.loadedIs, l.js, l.jsIs, l.config = hyperlight.StatusConsumed, js, hyperlight.StatusReady, l.built
		clear(l.handlers)
		clear(l.modules)
	}
}

func (w *world) snapshot(l *oneLife) {
	ctx, cancel, over := w.context()
	defer cancel()
	w.note(l, "loaded.Snapshot")
	snapshot, err := l.loaded.Snapshot(ctx)
	poisoned := error(nil)
	if l.loadedIs == hyperlight.StatusPoisoned {
		poisoned = hyperlight.ErrPoisoned
	}
	w.expect(l, "Snapshot", err, firstOf(over, refusedFor(l.loadedIs), poisoned))
	if err == nil {
		taken := image{snapshot: snapshot, guest: l.guest.clone(), config: withSizes(hyperlight.Config{}, l.config), files: l.needs}
		w.number(l, &taken)
		if w.market == nil || !w.oneIn(2) || !w.market.takes(&taken) {
			w.keep(&taken)
		}
	}
}

func (w *world) number(l *oneLife, i *image) {
	w.numbers++
	i.number = w.numbers
	w.noted(l, "snapshot %d", i.number)
}

// keep keeps a snapshot for some time.
func (w *world) keep(i *image) {
	w.images = append(w.images, i)
	if len(w.images) > 6 {
		_ = w.images[0].snapshot.Close()
		w.images = w.images[1:]
	}
}

// image picks a snapshot, which may be closed; or none.
func (w *world) image() *image {
	images := w.images
	if w.market != nil {
		images = append(slices.Clone(images), w.market.all()...)
	}
	if len(images) == 0 || w.oneIn(40) {
		return nil
	}
	return pickFrom(w, images)
}

func (w *world) restore(l *oneLife) {
	ctx, cancel, over := w.context()
	defer cancel()
	i := w.image()
	err := l.restores(i, over)
	var snapshot *hyperlight.Snapshot
	w.note(l, "loaded.Restore")
	if i != nil {
		snapshot = i.snapshot
		w.noted(l, "snapshot %d: %v", i.number, i.guest)
	}
	w.expect(l, "Restore", l.loaded.Restore(ctx, snapshot), err)
	if err == nil {
		l.guest, l.config, l.loadedIs, l.needs = i.guest.clone(), withSizes(l.built, i.config), hyperlight.StatusReady, i.files
	}
}

// saveAndLoad replaces a snapshot by what comes back from files.
func (w *world) saveAndLoad(l *oneLife) {
	i := w.image()
	if i == nil {
		return
	}
	w.note(l, "snapshot %d: Save", i.number)
	digest, err := i.snapshot.Save(w.dir, "latest")
	if i.closed {
		w.expect(l, "Save", err, hyperlight.ErrClosed)
		return
	}
	w.expect(l, "Save", err, nil)
	snapshot, err := hyperlight.LoadSnapshot(w.dir, pickFrom(w, []string{digest, "latest"}))
	w.expect(l, "LoadSnapshot", err, nil)
	back := *i
	back.snapshot = snapshot
	w.number(l, &back)
	w.keep(&back)
}

func (w *world) closeSnapshot(l *oneLife) {
	if len(w.images) == 0 {
		return
	}
	i := pickFrom(w, w.images)
	w.note(l, "snapshot %d: Close", i.number)
	w.expect(l, "Close", i.snapshot.Close(), nil)
	i.closed = true
}

func (w *world) closeProto(l *oneLife) {
	w.note(l, "proto.Close")
	w.expect(l, "Close", l.proto.Close(), nil)
	l.protoIs = afterClose(l.protoIs)
}

func (w *world) closeJS(l *oneLife) {
	w.note(l, "sandbox.Close")
	w.expect(l, "Close", l.js.Close(), nil)
	l.gone = l.gone || l.jsIs == hyperlight.StatusReady
	l.jsIs = afterClose(l.jsIs)
}

func (w *world) closeLoaded(l *oneLife) {
	w.note(l, "loaded.Close")
	w.expect(l, "Close", l.loaded.Close(), nil)
	l.gone = l.gone || refusedFor(l.loadedIs) == nil
	l.loadedIs = afterClose(l.loadedIs)
}

// afterClose is what Close leaves of a status.
func afterClose(status hyperlight.Status) hyperlight.Status {
	if status == hyperlight.StatusConsumed {
		return status
	}
	return hyperlight.StatusClosed
}

func (w *world) interruptHandle(l *oneLife) {
	w.note(l, "loaded.InterruptHandle")
	handle, err := l.loaded.InterruptHandle()
	w.expect(l, "InterruptHandle", err, refusedFor(l.loadedIs))
	if err == nil && len(l.interrupts) < 4 {
		l.interrupts = append(l.interrupts, handle)
	}
}

// killBetween stops nothing, now and later.
func (w *world) killBetween(l *oneLife) {
	for _, handle := range l.interrupts {
		w.note(l, "Kill between calls")
		if handle.Kill() {
			w.fail(l, "Kill says that it has stopped something")
		}
	}
}

func (w *world) fire(l *oneLife) {
	i := w.random.IntN(len(w.triggers))
	w.note(l, "trigger %d: Fire", i)
	w.triggers[i].Fire()
	w.fired[i] = true
}

func (w *world) reset(l *oneLife) {
	i := w.random.IntN(len(w.triggers))
	w.note(l, "trigger %d: Reset", i)
	w.triggers[i].Reset()
	w.fired[i] = false
}
