package capi

// HostFunction is an hljs_host_fn: it does what the guest asks of a host function, and answers call. args
// and blobs are its own. It runs on the thread of the guest, with native frames below it, so it must
// neither panic nor end its goroutine: users' functions run Guarded in it.
type HostFunction func(call HostCall, args, blobs []byte)

// HostCallReturnJSON answers with JSON and the blobs that it names.
//
// hljs_code hljs_host_call_return_json(const hljs_host_call *call, const uint8_t *json, size_t json_len, const uint8_t *blobs, size_t blobs_len, hljs_error **error);
func HostCallReturnJSON(call HostCall, json, blobs []byte) *Error {
	f := newFrame()
	defer f.done()
	f.uint(call.ptr)
	f.bytes(json)
	f.bytes(blobs)
	return f.fallible(symbols.hljs_host_call_return_json)
}

// HostCallReturnBytes answers with a Uint8Array.
//
// hljs_code hljs_host_call_return_bytes(const hljs_host_call *call, const uint8_t *data, size_t len, hljs_error **error);
func HostCallReturnBytes(call HostCall, data []byte) *Error {
	f := newFrame()
	defer f.done()
	f.uint(call.ptr)
	f.bytes(data)
	return f.fallible(symbols.hljs_host_call_return_bytes)
}

// HostCallFail answers with an exception.
//
// hljs_code hljs_host_call_fail(const hljs_host_call *call, const uint8_t *text, size_t text_len, hljs_error **error);
func HostCallFail(call HostCall, text string) *Error {
	f := newFrame()
	defer f.done()
	f.uint(call.ptr)
	f.text(text)
	return f.fallible(symbols.hljs_host_call_fail)
}
