package soak_test

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What upstream's sandboxes are to do, as small as it can be said: the model that TestOrder compares them with.

// oneLife is that of a micro-VM, from New to its end. Of each of its three stages there is the object that was made last.
type oneLife struct {
	number int
	proto  *hyperlight.ProtoJSSandbox
	js     *hyperlight.JSSandbox
	loaded *hyperlight.LoadedJSSandbox

	protoIs, jsIs, loadedIs hyperlight.Status

	functions, files bool // registered: host functions, a module loader
	built, config    hyperlight.Config

	handlers map[string]handlerKind // to be loaded
	modules  map[string]bool
	guest    guestState
	needs    bool // what a snapshot of now needs: a module loader
	counted  bool // a call has entered the guest since it was loaded
	gone     bool // the micro-VM

	interrupts []*hyperlight.InterruptHandle
	printed    func(string) // what the guest prints while it is loaded
	history    []string
}

// guestState is what a guest remembers: its handlers, and how far each counter has come. Handlers have one of their
// own, or share that of a module.
type guestState struct {
	handlers map[string]handlerKind
	counts   map[string]int
}

func (g guestState) clone() guestState {
	return guestState{maps.Clone(g.handlers), maps.Clone(g.counts)}
}

func (g guestState) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(g.handlers)) {
		all = append(all, fmt.Sprintf("%q (%s)", name, g.handlers[name].name))
	}
	return fmt.Sprintf("handlers %v, counters %v", all, g.counts)
}

// counter is the name of the counter that a handler counts on.
func (g guestState) counter(handler string) string {
	if shared := g.handlers[handler].shared; shared != "" {
		return shared
	}
	return handler
}

// image is a snapshot, and what it is to bring back.
type image struct {
	number   int
	snapshot *hyperlight.Snapshot
	guest    guestState
	config   hyperlight.Config // its sizes
	files    bool              // it needs a sandbox with a module loader
	closed   bool
}

// isOver says whether nothing can be done any more but to use what was closed.
func (l *oneLife) isOver() bool {
	return l.protoIs != hyperlight.StatusReady &&
		(l.js == nil || l.jsIs != hyperlight.StatusReady) &&
		(l.loaded == nil || l.loadedIs > hyperlight.StatusPoisoned)
}

// refusedFor is what an object answers that was consumed or closed, whatever it is asked; or nil.
func refusedFor(status hyperlight.Status) error {
	switch status {
	case hyperlight.StatusConsumed:
		return hyperlight.ErrConsumed
	case hyperlight.StatusClosed:
		return hyperlight.ErrClosed
	}
	return nil
}

// firstOf is the first of these that is an error.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// lacks says whether a kind of handler imports what is not there.
func (l *oneLife) lacks(k handlerKind) bool {
	return k.shared == inModule && !l.modules[inModule] || k.shared == inFile && !l.files || k.callsHost && !l.functions
}

// loads says how Load may fail, handlers being evaluated in any order; not at all if there is nothing.
func (l *oneLife) loads() (failures []error) {
	for _, kind := range l.handlers {
		if kind.fails != nil {
			failures = append(failures, kind.fails)
		} else if l.lacks(kind) {
			failures = append(failures, hyperlight.ErrJSException)
		}
	}
	return failures
}

// outcome is what becomes of a call.
type outcome struct {
	err    error
	value  int // the result
	prints string
	after  hyperlight.Status
	counts bool // the statistics show it
}

// handles is what becomes of an event, and changes the guest as that does. A loop ends as stopped says.
func (l *oneLife) handles(handler, event string, stopped outcome) outcome {
	is := l.loadedIs
	_, known := l.guest.handlers[handler]
	switch {
	// In upstream's order.
	case event == "{":
		return outcome{err: hyperlight.ErrInvalidJSON, after: is}
	case handler == "":
		return outcome{err: hyperlight.ErrInvalidArgument, after: is}
	case is == hyperlight.StatusPoisoned:
		return outcome{err: hyperlight.ErrPoisoned, after: is, counts: true}
	}
	l.needs = l.files // Until the guest runs, a snapshot is the one that was restored.
	if !known {
		return outcome{err: hyperlight.ErrHandlerNotFound, after: is, counts: true}
	}
	at := l.guest.counter(handler)
	switch event {
	case look:
		return outcome{value: l.guest.counts[at], after: is, counts: true}
	case recurse:
		return outcome{err: hyperlight.ErrOutOfMemory, after: hyperlight.StatusPoisoned, counts: true}
	case flood:
		return outcome{err: hyperlight.ErrGuestAborted, after: hyperlight.StatusPoisoned, counts: true}
	}
	l.guest.counts[at]++
	count := l.guest.counts[at]
	switch {
	case l.guest.handlers[handler].callsHost && !l.functions:
		// The snapshot came from a sandbox that has them. Upstream finds out when they are called.
		return outcome{err: hyperlight.ErrJSException, after: is, counts: true}
	case event == throw:
		return outcome{err: hyperlight.ErrJSException, after: is, counts: true}
	case event == nothing:
		return outcome{err: hyperlight.ErrNoValue, after: is, counts: true}
	case event == say:
		return outcome{value: count, prints: "counted\n", after: is, counts: true}
	case event == loop:
		return stopped
	}
	return outcome{value: count, after: is, counts: true}
}

// restores is how Restore fails, or nil. The context may be over.
func (l *oneLife) restores(i *image, over error) error {
	switch {
	case i == nil:
		return hyperlight.ErrInvalidArgument
	case i.closed:
		return hyperlight.ErrClosed
	case over != nil:
		return over
	case refusedFor(l.loadedIs) != nil:
		return refusedFor(l.loadedIs)
	case i.files && !l.files:
		return hyperlight.ErrSnapshotMismatch
	}
	return nil
}

// withSizes is a configuration with the sizes of another one.
func withSizes(config, sizes hyperlight.Config) hyperlight.Config {
	sizes.InterruptRetryDelay, sizes.InterruptSignalOffset = config.InterruptRetryDelay, config.InterruptSignalOffset
	return sizes
}

// handlerKind is a kind of handler.
type handlerKind struct {
	name, source string
	shared       string // where its counter is, if that is not its own
	callsHost    bool   // for each count
	fails        error  // how Load fails over it
}

const (
	inModule = "user:shared"
	inFile   = "lib.js"

	// counting is such a place, as a module.
	counting = `let n = 0; export const next = () => ++n; export const look = () => n;`

	// The events that handlers take.
	count, look, throw, nothing = `"count"`, `"look"`, `"throw"`, `"nothing"`
	say, loop, recurse, flood   = `"say"`, `"loop"`, `"recurse"`, `"flood"`
	acting                      = `
		export function handler(event) {
			switch (event) {
			case "count": return next();
			case "look": return look();
			case "throw": next(); throw new Error("thrown");
			case "nothing": next(); return;
			case "say": next(); print("counted\n"); return look();
			case "loop": next(); print("looping\n"); for (;;);
			case "recurse": { const f = (x) => f(x + 1) + 1; return f(0); }
			case "flood": return "x".repeat(100_000);
			}
		}`
)

var (
	goodKinds = []handlerKind{
		{name: "own", source: `let n = 0; const next = () => ++n, look = () => n;` + acting},
		{name: "shared", source: `import { next, look } from "user:shared";` + acting, shared: inModule},
		{name: "file", source: `import { next, look } from "/lib.js";` + acting, shared: inFile},
		{name: "host", source: `import * as host from "host"; let n = 0; const next = () => host.same(++n), look = () => n;` + acting, callsHost: true},
	}
	badKinds = []handlerKind{
		{name: "malformed", source: `function handler( {`, fails: hyperlight.ErrJSException},
		{name: "throwing", source: `throw new Error("early"); function handler() {}`, fails: hyperlight.ErrJSException},
		{name: "no function", source: `export const handler = 7;`, fails: hyperlight.ErrGuest},
		{name: "looping", source: `print("looping\n"); for (;;); function handler() {}`, fails: hyperlight.ErrCancelled},
		{name: "swallowing", source: `const f = (x) => f(x + 1) + 1; f(0); function handler() {}`, fails: hyperlight.ErrOutOfMemory},
	}
)

// endedContext is a context that has ended.
var endedContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
