package capi

// takeError copies and frees the detail behind a code.
func takeError(code Code, native uintptr) *Error {
	if native == 0 {
		return &Error{Code: code}
	}
	defer errorFree(native)
	return copyError(native)
}

// copyError copies an error that C lends.
func copyError(native uintptr) *Error {
	err := &Error{Code: errorCode(native)}
	err.Message = errorMessage(native)
	err.JSMessage = errorJSMessage(native)
	err.JSStack = errorJSStack(native)
	err.JSThrown = errorJSThrown(native)
	err.GuestCode = errorGuestCode(native)
	err.Monitor = errorMonitor(native)
	return err
}

// hljs_code hljs_error_code(const hljs_error *error);
func errorCode(native uintptr) Code {
	f := newFrame()
	defer f.done()
	f.uint(native)
	return Code(uint32(f.call(symbols.hljs_error_code)))
}

// void hljs_error_message(const hljs_error *error, const uint8_t **text, size_t *len);
func errorMessage(native uintptr) string { return errorText(native, symbols.hljs_error_message) }

// void hljs_error_js_message(const hljs_error *error, const uint8_t **text, size_t *len);
func errorJSMessage(native uintptr) string { return errorText(native, symbols.hljs_error_js_message) }

// void hljs_error_js_stack(const hljs_error *error, const uint8_t **text, size_t *len);
func errorJSStack(native uintptr) string { return errorText(native, symbols.hljs_error_js_stack) }

// void hljs_error_js_thrown(const hljs_error *error, const uint8_t **text, size_t *len);
func errorJSThrown(native uintptr) string { return errorText(native, symbols.hljs_error_js_thrown) }

func errorText(native, symbol uintptr) string {
	f := newFrame()
	defer f.done()
	f.uint(native)
	f.outData()
	f.call(symbol)
	return f.lent()
}

// uint32_t hljs_error_guest_code(const hljs_error *error);
func errorGuestCode(native uintptr) uint32 {
	f := newFrame()
	defer f.done()
	f.uint(native)
	return uint32(f.call(symbols.hljs_error_guest_code))
}

// void hljs_error_monitor(const hljs_error *error, const uint8_t **text, size_t *len);
func errorMonitor(native uintptr) string { return errorText(native, symbols.hljs_error_monitor) }

// void hljs_error_free(hljs_error *error);
func errorFree(native uintptr) { free(native, symbols.hljs_error_free) }

// free calls one of the _free functions.
func free(native, symbol uintptr) {
	f := newFrame()
	defer f.done()
	f.uint(native)
	f.call(symbol)
}
