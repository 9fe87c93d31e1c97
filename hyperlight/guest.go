package hyperlight

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// guest is the Go side of one micro-VM: what its calls and the callbacks from it need, whatever state its
// sandbox is in. Callbacks keep it alive, so it knows no sandbox: a forgotten one must become unreachable.
type guest struct {
	original Config // what it was built with, and has again after unloading
	config   atomic.Pointer[Config]
	print    printing     // where the guest prints, unless a call says otherwise
	tracer   trace.Tracer // nil: no spans

	call    atomic.Pointer[guestCall]
	stopper *stopper

	closing sync.Once
	closed  atomic.Bool   // its sandbox was closed while it was in use
	stopped chan struct{} // closed once that has stopped the call that ran

	user  atomic.Uintptr // the goroutine of the user's function that it waits for, if it does
	apart bool           // such functions run on goroutines like any other

	home home // the thread that it runs on
}

func newGuest(config Config, print printing, apart bool) (*guest, *capi.Error) {
	stopper, err := newStopper()
	if err != nil {
		return nil, err
	}
	g := &guest{
		original: config,
		print:    print,
		apart:    apart,
		stopper:  stopper,
		stopped:  make(chan struct{}),
	}
	g.config.Store(&config)
	return g, nil
}

// configuration is that in effect. A zero value of a sandbox has no guest, and no configuration.
func (g *guest) configuration() Config {
	if g == nil {
		return Config{}
	}
	return *g.config.Load()
}

// reconfigure says what is in effect from now on.
func (g *guest) reconfigure(config Config) { g.config.Store(&config) }

// printing is where the guest prints unless a call says otherwise.
func (g *guest) printing() printing {
	if g == nil {
		return printing{}
	}
	return g.print
}

// enter tells callbacks about a call that begins, and has it stopped when ctx ends. Only the sandbox's user of
// the moment calls it, so calls of one guest never overlap. Should the user's context panic, none has begun.
func (g *guest) enter(ctx context.Context, print printing) *guestCall {
	call := &guestCall{guest: g, caller: ctx, output: output{printing: print}}
	g.stopper.watch(ctx, &call.watch)
	g.call.Store(call)
	return call
}

// leave ends what enter began, and delivers what the guest has printed last.
func (g *guest) leave(call *guestCall) {
	defer g.forget(call) // Also if the user's context panics.
	if call.output.isPending() {
		g.guarded(call.output.flush)
	}
	g.stopper.unwatch(&call.watch)
}

// forget ends a call for callbacks, and for good if the sandbox was closed.
func (g *guest) forget(call *guestCall) {
	if g.closed.Load() {
		g.stopper.stop() // For ever, whatever unwatch has undone.
	}
	g.call.Store(nil)
	call.finish(errCallOver)
}

// close stops the call that runs. There will be no other, since the guest's sandbox is closed.
func (g *guest) close() {
	if g == nil {
		return
	}
	g.closing.Do(func() {
		g.closed.Store(true)
		go func() {
			defer close(g.stopped)
			g.stopper.stop() // It waits until the guest has stopped.
		}()
		if call := g.call.Load(); call != nil {
			call.finish(errSandboxClosed)
		}
	})
}

// guarded runs what is a user's, while the guest waits. A guest that is to be stopped does not go on.
func (g *guest) guarded(function func()) *capi.Panic {
	call := g.call.Load()
	panicked := g.runGuarded(call, func() {
		g.user.Store(capi.Goroutine())
		function()
	})
	g.user.Store(0)
	if call != nil {
		call.settle()
	}
	return panicked
}

func (g *guest) runGuarded(call *guestCall, function func()) *capi.Panic {
	switch {
	case g.apart:
		return capi.GuardedApart(function)
	case call == nil:
		return capi.Guarded(function)
	default:
		return call.guard.Run(function)
	}
}

// printed takes what the guest prints, in pieces.
func (g *guest) printed(text string) {
	if call := g.call.Load(); call != nil && call.output.write != nil {
		g.guarded(func() { call.output.take(text) })
	}
}
