package hyperlight

import (
	"context"
	"slices"
)

// Template describes sandboxes that are alike: how they are configured, what they may call, and what runs in
// them. It is a value that makes any number of them ([Template.Load]), and what a [Pool] is made of. Upstream
// has none: its builders make one sandbox each.
type Template struct {
	// Options configure each sandbox.
	Options []Option
	// Register adds host functions and the module loader to a new sandbox; nil adds none. It is called for
	// each sandbox, by several goroutines at a time if they are made for a pool.
	Register func(*ProtoJSSandbox) error
	// Add adds handlers and modules.
	Add func(*JSSandbox) error
}

// Load makes a sandbox: New with the options, Register, LoadRuntime, Add, Load. Upstream has a method for each of
// these.
//
// # Errors
//
// Those of these steps, and of Register and Add, as they are. All that was made until then is closed.
func (t Template) Load(ctx context.Context) (*LoadedJSSandbox, error) {
	if ctx == nil {
		return nil, invalidArgument("Template.Load", "ctx is nil; pass context.Background()")
	}
	return t.load(ctx, t.Add)
}

func (t Template) load(ctx context.Context, add func(*JSSandbox) error) (*LoadedJSSandbox, error) {
	proto, err := New(append(slices.Clip(t.Options), below(ctx))...)
	if err != nil {
		return nil, err
	}
	defer proto.Close() // What the next step took is not affected.
	if t.Register != nil {
		if err := t.Register(proto); err != nil {
			return nil, err
		}
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		return nil, err
	}
	defer sandbox.Close()
	if add != nil {
		if err := add(sandbox); err != nil {
			return nil, err
		}
	}
	return sandbox.Load(ctx)
}
