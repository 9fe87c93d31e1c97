package capi

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
