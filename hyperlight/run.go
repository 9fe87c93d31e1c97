package hyperlight

import (
	"context"
	"slices"
)

// RunOption configures [Run]. Every [Option] and every [CallOption] is one. Upstream has none.
type RunOption interface{ applyToRun(*runOptions) }

// runOptions are the options of Run, for the step that each is for.
type runOptions struct {
	sandbox []Option
	call    []CallOption
}

// handlerOfRun is the name of the handler that Run adds, which shows in stacks.
const handlerOfRun = "handler"

// Run runs a handler once, in a sandbox of its own: [New], [ProtoJSSandbox.LoadRuntime],
// [JSSandbox.AddHandler], [JSSandbox.Load], [LoadedJSSandbox.HandleEvent] and Close, with the defaults of each.
// The handler is called "handler", and stacks say "./handler.js". Upstream has none.
//
// It boots a micro-VM each time, which costs tens of milliseconds on real hardware, hundreds of times what a call
// costs. For more than one call keep the [LoadedJSSandbox].
//
// ctx stops the guest, both the script's top-level code and the handler. A [CallOption] is for the handler's call
// alone; a [PrintOption], for both. There are no host functions, modules or files to import: those take the steps
// above.
//
// # Errors
//
// Those of the steps. The error's Op says which failed: "Load" for a script that does not compile. Nothing is left
// behind, whatever happens.
func Run(ctx context.Context, source string, event []byte, opts ...RunOption) ([]byte, error) {
	var o runOptions
	for _, opt := range opts {
		if opt == nil {
			return nil, invalidArgument("Run", "an option is nil")
		}
		opt.applyToRun(&o)
	}
	return o.run(ctx, source, event)
}

func (o *runOptions) run(ctx context.Context, source string, event []byte) ([]byte, error) {
	// What is behind the options of Probe is its caller's.
	proto, err := New(append(slices.Clip(o.sandbox), below(ctx))...)
	if err != nil {
		return nil, err
	}
	defer proto.Close()
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		return nil, err
	}
	defer sandbox.Close()
	if err := sandbox.AddHandler(handlerOfRun, Script(source)); err != nil {
		return nil, err
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		return nil, err
	}
	defer loaded.Close()
	return loaded.HandleEvent(ctx, handlerOfRun, event, o.call...)
}
