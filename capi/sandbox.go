package capi

// SandboxAddHandler adds a handler to be loaded.
//
// hljs_code hljs_sandbox_add_handler(const hljs_sandbox *sandbox, const uint8_t *name, size_t name_len, const uint8_t *script, size_t script_len, const uint8_t *base, size_t base_len, hljs_error **error);
func SandboxAddHandler(s Sandbox, name, script, base string) *Error {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	f.text(name)
	f.text(script)
	f.text(base)
	return f.fallible(symbols.hljs_sandbox_add_handler)
}

// SandboxRemoveHandler removes a handler that was added.
//
// hljs_code hljs_sandbox_remove_handler(const hljs_sandbox *sandbox, const uint8_t *name, size_t name_len, hljs_error **error);
func SandboxRemoveHandler(s Sandbox, name string) *Error {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	f.text(name)
	return f.fallible(symbols.hljs_sandbox_remove_handler)
}

// SandboxClearHandlers removes all handlers.
//
// hljs_code hljs_sandbox_clear_handlers(const hljs_sandbox *sandbox, hljs_error **error);
func SandboxClearHandlers(s Sandbox) *Error {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	return f.fallible(symbols.hljs_sandbox_clear_handlers)
}

// ValidateModuleName checks a module's name and namespace.
//
// hljs_code hljs_validate_module_name(const uint8_t *name, size_t name_len, const uint8_t *ns, size_t ns_len, hljs_error **error);
func ValidateModuleName(name, ns string) *Error {
	f := newFrame()
	defer f.done()
	f.text(name)
	f.text(ns)
	return f.fallible(symbols.hljs_validate_module_name)
}

// SandboxAddModule adds a module to be imported.
//
// hljs_code hljs_sandbox_add_module(const hljs_sandbox *sandbox, const uint8_t *name, size_t name_len, const uint8_t *ns, size_t ns_len, const uint8_t *script, size_t script_len, hljs_error **error);
func SandboxAddModule(s Sandbox, name, ns, script string) *Error {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	f.text(name)
	f.text(ns)
	f.text(script)
	return f.fallible(symbols.hljs_sandbox_add_module)
}

// SandboxRemoveModule removes a module that was added.
//
// hljs_code hljs_sandbox_remove_module(const hljs_sandbox *sandbox, const uint8_t *name, size_t name_len, const uint8_t *ns, size_t ns_len, hljs_error **error);
func SandboxRemoveModule(s Sandbox, name, ns string) *Error {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	f.text(name)
	f.text(ns)
	return f.fallible(symbols.hljs_sandbox_remove_module)
}

// SandboxClearModules removes all modules.
//
// hljs_code hljs_sandbox_clear_modules(const hljs_sandbox *sandbox, hljs_error **error);
func SandboxClearModules(s Sandbox) *Error {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	return f.fallible(symbols.hljs_sandbox_clear_modules)
}

// SandboxStatus is the status as of the last finished call.
//
// hljs_code hljs_sandbox_status(const hljs_sandbox *sandbox, hljs_status *status, hljs_error **error);
func SandboxStatus(s Sandbox) (Status, *Error) {
	return status(s.ptr, symbols.hljs_sandbox_status)
}

// SandboxGenerateCrashdump writes a core dump of the guest.
//
// hljs_code hljs_sandbox_generate_crashdump(const hljs_sandbox *sandbox, hljs_error **error);
func SandboxGenerateCrashdump(s Sandbox) *Error {
	f := newFrame()
	defer f.done()
	f.uint(s.ptr)
	return f.fallible(symbols.hljs_sandbox_generate_crashdump)
}

// SandboxGetLoadedSandbox consumes the sandbox, also when a script fails or is stopped, but not without handlers. The guard
// serves its callbacks, if there is one.
//
// hljs_code hljs_sandbox_get_loaded_sandbox(const hljs_sandbox *sandbox, const hljs_context *context, hljs_loaded_sandbox **loaded, hljs_error **error);
func SandboxGetLoadedSandbox(s Sandbox, context Context, guard *Guard) (LoadedSandbox, *Error) {
	f := newFrame()
	defer f.done()
	f.guarded(guard)
	f.uint(s.ptr)
	f.uint(context.ptr)
	f.outObject()
	err := f.fallible(symbols.hljs_sandbox_get_loaded_sandbox)
	return LoadedSandbox{f.object}, err
}

// SandboxFree frees a sandbox.
//
// void hljs_sandbox_free(hljs_sandbox *sandbox);
func SandboxFree(s Sandbox) { free(s.ptr, symbols.hljs_sandbox_free) }

// status calls one of the _status functions.
func status(native, symbol uintptr) (Status, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(native)
	f.outStatus()
	err := f.fallible(symbol)
	return Status(f.status), err
}
