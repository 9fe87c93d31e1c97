package hyperlight

import (
	"context"
	"sync/atomic"
)

// guest is the Go side of one micro-VM: what callbacks from it need, whatever state its sandbox is in.
// Callbacks keep it alive, so it knows no sandbox: a forgotten one must become unreachable.
type guest struct {
	original Config // what it was built with, and has again after unloading
	config   atomic.Pointer[Config]
	print    printing // where the guest prints, unless a call says otherwise
	call     atomic.Pointer[guestCall]
	home     home
}

// guestCall is one stay in the guest: a handler's call, or the evaluation of top-level code by Load.
type guestCall struct {
	ctx    context.Context
	output output

	hostFailures  []*hostFailure // the last ones of host functions
	moduleFailure error          // why the module loader's file system failed last
}

func newGuest(config Config, print printing) *guest {
	g := &guest{original: config, print: print}
	g.config.Store(&config)
	return g
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

// enter tells callbacks about a call that begins. Only the sandbox's user of the moment calls it, so
// calls of one guest never overlap.
func (g *guest) enter(ctx context.Context, print printing) *guestCall {
	call := &guestCall{ctx: ctx, output: output{printing: print}}
	g.call.Store(call)
	return call
}

// leave ends what enter began, and delivers what the guest has printed last.
func (g *guest) leave(call *guestCall) {
	g.call.Store(nil)
	call.output.flush()
}

// printed takes what the guest prints, in pieces.
func (g *guest) printed(text string) {
	if call := g.call.Load(); call != nil {
		call.output.take(text)
	}
}

// explain adds to the error of a call what only Go knows: what a host function or a file system returned.
func (c *guestCall) explain(err error) error { return c.withModuleFailure(c.withHostFailure(err)) }
