package capi

// ProtoSandboxRegister registers a host function; the last one of a name counts.
//
// hljs_code hljs_proto_sandbox_register(const hljs_proto_sandbox *proto, const uint8_t *module, size_t module_len, const uint8_t *name, size_t name_len, hljs_host_fn function, void *user_data, hljs_drop_fn drop, hljs_error **error);
func ProtoSandboxRegister(p ProtoSandbox, module, name string, function HostFunction) *Error {
	callbacks := callbackFunctions
	f := newFrame()
	defer f.done()
	f.uint(p.ptr)
	f.text(module)
	f.text(name)
	f.uint(callbacks.function)
	f.uint(functions.add(function)) // Released by drop, which runs even when this call fails.
	f.uint(callbacks.drop)
	return f.fallible(symbols.hljs_proto_sandbox_register)
}

// ProtoSandboxSetModuleLoader gives the guest files to import. The methods of the tree run on goroutines
// of their own while the guest waits, one at a time for one sandbox; they may panic.
//
// hljs_code hljs_proto_sandbox_set_module_loader(const hljs_proto_sandbox *proto, hljs_stat_fn stat, hljs_read_fn read, void *user_data, hljs_drop_fn drop, hljs_error **error);
func ProtoSandboxSetModuleLoader(p ProtoSandbox, tree FileTree) *Error {
	callbacks := callbackFunctions
	f := newFrame()
	defer f.done()
	f.uint(p.ptr)
	f.uint(callbacks.stat)
	f.uint(callbacks.read)
	f.uint(functions.add(tree)) // Released by drop, which runs even when this call fails.
	f.uint(callbacks.drop)
	return f.fallible(symbols.hljs_proto_sandbox_set_module_loader)
}

// ProtoSandboxLoadRuntime consumes the proto sandbox, also on failure.
//
// hljs_code hljs_proto_sandbox_load_runtime(const hljs_proto_sandbox *proto, hljs_sandbox **sandbox, hljs_error **error);
func ProtoSandboxLoadRuntime(p ProtoSandbox) (Sandbox, *Error) {
	object, err := transition(p.ptr, symbols.hljs_proto_sandbox_load_runtime)
	return Sandbox{object}, err
}

// ProtoSandboxFree frees a proto sandbox.
//
// void hljs_proto_sandbox_free(hljs_proto_sandbox *proto);
func ProtoSandboxFree(p ProtoSandbox) { free(p.ptr, symbols.hljs_proto_sandbox_free) }
