package capi

// LoadedSandboxHandleEvent runs a handler; the result is a copy. The event must not change meanwhile.
//
// hljs_code hljs_loaded_sandbox_handle_event(const hljs_loaded_sandbox *loaded, const uint8_t *name, size_t name_len, const uint8_t *event, size_t event_len, uint32_t gc, uint8_t **result, size_t *result_len, hljs_error **error);
func LoadedSandboxHandleEvent(l LoadedSandbox, name string, event []byte, gc bool) ([]byte, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(l.ptr)
	f.text(name)
	f.bytes(event)
	f.flag(gc)
	f.outData()
	if err := f.fallible(symbols.hljs_loaded_sandbox_handle_event); err != nil {
		return nil, err
	}
	return f.given(), nil
}

// LoadedSandboxStatus is the status as of the last finished call.
//
// hljs_code hljs_loaded_sandbox_status(const hljs_loaded_sandbox *loaded, hljs_status *status, hljs_error **error);
func LoadedSandboxStatus(l LoadedSandbox) (Status, *Error) {
	return status(l.ptr, symbols.hljs_loaded_sandbox_status)
}

// LoadedSandboxGenerateCrashdump writes a core dump of the guest.
//
// hljs_code hljs_loaded_sandbox_generate_crashdump(const hljs_loaded_sandbox *loaded, hljs_error **error);
func LoadedSandboxGenerateCrashdump(l LoadedSandbox) *Error {
	f := newFrame()
	defer f.done()
	f.uint(l.ptr)
	return f.fallible(symbols.hljs_loaded_sandbox_generate_crashdump)
}

// LoadedSandboxUnload consumes the loaded sandbox, also on failure.
//
// hljs_code hljs_loaded_sandbox_unload(const hljs_loaded_sandbox *loaded, hljs_sandbox **sandbox, hljs_error **error);
func LoadedSandboxUnload(l LoadedSandbox) (Sandbox, *Error) {
	object, err := transition(l.ptr, symbols.hljs_loaded_sandbox_unload)
	return Sandbox{object}, err
}

// LoadedSandboxFree frees a loaded sandbox.
//
// void hljs_loaded_sandbox_free(hljs_loaded_sandbox *loaded);
func LoadedSandboxFree(l LoadedSandbox) { free(l.ptr, symbols.hljs_loaded_sandbox_free) }
