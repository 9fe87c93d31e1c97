package hyperlight

import (
	"context"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// JSSandbox is a sandbox with a JavaScript runtime and none of your code in it; upstream's JSSandbox. Its
// methods may be called from any goroutine; they take turns. What they add is kept on the host until
// [JSSandbox.Load] sends it to the guest.
type JSSandbox struct {
	h     *handle[capi.Sandbox]
	guest *guest
}

func newJSSandbox(native capi.Sandbox, g *guest) *JSSandbox {
	s := &JSSandbox{h: newGuestHandle(native, capi.SandboxFree, g), guest: g}
	s.readStatus()
	closeWhenForgotten(s, s.h)
	return s
}

// AddHandler adds a handler for [JSSandbox.Load] to compile. The script is an ES module; its function
// handler(event) answers to name. If no line of the script begins with "export " or "export{", after
// blanks, upstream exports the function handler by itself. Upstream: JSSandbox::add_handler.
//
// Like all methods without a context it waits while another goroutine uses the sandbox, that is, while
// Load runs.
//
// # Errors
//
// [ErrInvalidArgument] for an empty name, or a name or script with a NUL byte or invalid UTF-8, or a name that,
// with the base path, does not fit into the output buffer, through which errors bring it back; [ErrHandlerExists];
// [ErrBufferTooSmall] for a script that does not fit into the input buffer, with both numbers; [ErrConsumed],
// [ErrClosed]; [ErrReentrant] in a host function that Load waits for. The sandbox is as before then.
func (s *JSSandbox) AddHandler(name string, script JSScript) error {
	return s.use("AddHandler", func(native capi.Sandbox) *capi.Error {
		return capi.SandboxAddHandler(native, name, script.content, script.base)
	})
}

// RemoveHandler removes a handler that was added. Upstream: JSSandbox::remove_handler.
//
// # Errors
//
// [ErrInvalidArgument] for an empty name, [ErrHandlerNotFound], [ErrConsumed], [ErrClosed], [ErrReentrant].
func (s *JSSandbox) RemoveHandler(name string) error {
	return s.use("RemoveHandler", func(native capi.Sandbox) *capi.Error {
		return capi.SandboxRemoveHandler(native, name)
	})
}

// ClearHandlers removes all handlers. Upstream: JSSandbox::clear_handlers.
//
// # Errors
//
// [ErrConsumed], [ErrClosed], [ErrReentrant].
func (s *JSSandbox) ClearHandlers() error {
	return s.use("ClearHandlers", capi.SandboxClearHandlers)
}

// DefaultModuleNamespace is the namespace of [JSSandbox.AddModule]. Upstream: DEFAULT_MODULE_NAMESPACE.
const DefaultModuleNamespace = "user"

// ValidateModuleName says whether [JSSandbox.AddModuleNS] would take this name and namespace, without a sandbox. It
// loads the native library, as [New] would. Upstream: validate_module_identifier, of both, and
// validate_namespace_not_reserved, whose RESERVED_NAMESPACES are "host" alone.
//
// # Errors
//
// [ErrInvalidArgument], with upstream's words, and the errors of [Library].
func ValidateModuleName(name, namespace string) error {
	const op = "ValidateModuleName"
	if _, err := loadLibrary(op); err != nil {
		return err
	}
	return nativeError(op, capi.ValidateModuleName(name, namespace))
}

// AddModule adds an ES module, which handlers and other modules import as "user:" and its name. It is
// compiled when it is first imported, in [JSSandbox.Load], so the order of additions does not matter. All
// importers share one instance and its state. Upstream: JSSandbox::add_module.
//
// # Errors
//
// [ErrInvalidArgument] for a name that is blank or has a colon or a NUL byte, or invalid UTF-8, or does not fit into
// the output buffer, through which errors bring it back;
// [ErrModuleExists]; [ErrBufferTooSmall] for a script that does not fit into the input buffer, with both
// numbers; [ErrConsumed], [ErrClosed], [ErrReentrant]. The sandbox is as before then.
func (s *JSSandbox) AddModule(name string, script JSScript) error {
	return s.addModule("AddModule", name, script, DefaultModuleNamespace)
}

// AddModuleNS is [JSSandbox.AddModule] with a namespace of your own: the module is imported as namespace,
// a colon, and name. The namespace follows the rules of the name, and is not "host", which is reserved.
// Upstream: JSSandbox::add_module_ns.
func (s *JSSandbox) AddModuleNS(name string, script JSScript, namespace string) error {
	return s.addModule("AddModuleNS", name, script, namespace)
}

func (s *JSSandbox) addModule(op, name string, script JSScript, namespace string) error {
	return s.use(op, func(native capi.Sandbox) *capi.Error {
		return capi.SandboxAddModule(native, name, namespace, script.content)
	})
}

// RemoveModule removes a module that AddModule added. Upstream: JSSandbox::remove_module.
//
// # Errors
//
// [ErrInvalidArgument] as for AddModule, [ErrModuleNotFound], [ErrConsumed], [ErrClosed], [ErrReentrant].
func (s *JSSandbox) RemoveModule(name string) error {
	return s.removeModule("RemoveModule", name, DefaultModuleNamespace)
}

// RemoveModuleNS removes a module that AddModuleNS added. Upstream: JSSandbox::remove_module_ns.
//
// # Errors
//
// Those of RemoveModule.
func (s *JSSandbox) RemoveModuleNS(name, namespace string) error {
	return s.removeModule("RemoveModuleNS", name, namespace)
}

func (s *JSSandbox) removeModule(op, name, namespace string) error {
	return s.use(op, func(native capi.Sandbox) *capi.Error {
		return capi.SandboxRemoveModule(native, name, namespace)
	})
}

// ClearModules removes all modules. Upstream: JSSandbox::clear_modules.
//
// # Errors
//
// [ErrConsumed], [ErrClosed], [ErrReentrant].
func (s *JSSandbox) ClearModules() error {
	return s.use("ClearModules", capi.SandboxClearModules)
}

func (s *JSSandbox) use(op string, call func(capi.Sandbox) *capi.Error) error {
	s = orZero(s)
	defer runtime.KeepAlive(s)
	if err := s.h.enter(context.Background(), op); err != nil {
		return err
	}
	defer s.h.leave()
	return nativeError(op, call(s.h.native))
}

// Load compiles the handlers in the guest and runs their top-level code, and consumes s, also when a
// script fails: make a new sandbox then. Without handlers it consumes nothing. Handlers are loaded in no
// particular order. Upstream: JSSandbox::get_loaded_sandbox.
//
// When ctx ends, so does the wait for another goroutine that uses s; and the guest is stopped, also in an endless
// loop at the top level of a script, as [LoadedJSSandbox.HandleEvent] says. Upstream takes no monitors here, and
// has nothing else that stops top-level code.
//
// # Errors
//
// These consume nothing: [ErrNoHandlers]; [ErrConsumed], [ErrClosed]; [ErrInvalidArgument] for a nil ctx,
// [ErrReentrant], and the error of ctx without ErrCancelled.
//
// After these s is consumed: [ErrJSException] for a syntax error, a missing import or an exception at the
// top level, and with it [ErrHostFunctionPanicked] if that is where it comes from; [ErrGuest] when the
// script exports no function handler; [ErrCancelled], which matches the error of ctx and its cause, too, if it was
// ctx that stopped the guest, and not an [InterruptHandle]; [ErrOutOfMemory], [ErrGuestAborted],
// [ErrAccessViolation] and [ErrVMFailure]. If s was closed meanwhile, that is ErrClosed.
func (s *JSSandbox) Load(ctx context.Context) (*LoadedJSSandbox, error) {
	s = orZero(s)
	ctx, span := s.guest.startSpan(ctx, spanLoad)
	loaded, err := s.load(ctx)
	return loaded, span.end(err)
}

func (s *JSSandbox) load(ctx context.Context) (*LoadedJSSandbox, error) {
	const op = "Load"
	defer runtime.KeepAlive(s)
	if err := s.h.enter(ctx, op); err != nil {
		return nil, err
	}
	defer s.h.leave()
	call := s.guest.enter(ctx, s.guest.printing())
	native, nativeErr := run(&s.guest.home, func() (capi.LoadedSandbox, *capi.Error) {
		return capi.SandboxGetLoadedSandbox(s.h.native, s.guest.stopper.native, &call.guard)
	})
	s.readStatus()
	var loaded *LoadedJSSandbox
	if nativeErr == nil {
		loaded = newLoadedJSSandbox(native, s.guest)
	}
	s.guest.leave(call)
	if nativeErr != nil {
		return nil, call.explain(op, nativeErr)
	}
	if s.h.wasClosed() {
		loaded.h.close()
		return nil, s.h.unusable(op)
	}
	return loaded, nil
}

// readStatus asks the native object, whose user the caller is. A transition that refused to begin
// leaves it as it was; any other empties it.
func (s *JSSandbox) readStatus() {
	status, err := capi.SandboxStatus(s.h.native)
	switch {
	case err != nil:
	case status == capi.StatusConsumed:
		s.h.consume()
	default:
		s.h.status.Store(uint32(status))
	}
}

// Config is the configuration in effect. It never waits. Upstream has none: SandboxBuilder::get_config knows
// what was asked for.
func (s *JSSandbox) Config() Config { return orZero(s).guest.configuration() }

// Status is the state of the sandbox. It never waits. Upstream: JSSandbox::status.
func (s *JSSandbox) Status() Status { return orZero(s).h.currentStatus() }

// Close frees the sandbox and its micro-VM. If Load is running, it stops the guest, as [LoadedJSSandbox.Close] does,
// and Load returns [ErrClosed]. It never waits, returns nil, and may be called more than once, and after the sandbox
// was consumed. Upstream drops it.
func (s *JSSandbox) Close() error {
	orZero(s).h.close()
	return nil
}
