package capi

// LogsStart starts to collect what upstream logs, up to a LogLevel.
//
// hljs_code hljs_logs_start(uint32_t level, uint32_t spans, uint32_t capacity, hljs_error **error);
func LogsStart(level uint32, spans bool, capacity uint32) *Error {
	f := newFrame()
	defer f.done()
	f.uint(uintptr(level))
	f.flag(spans)
	f.uint(uintptr(capacity))
	return f.fallible(symbols.hljs_logs_start)
}

// LogsSetLevel changes the LogLevel.
//
// hljs_code hljs_logs_set_level(uint32_t level, hljs_error **error);
func LogsSetLevel(level uint32) *Error {
	f := newFrame()
	defer f.done()
	f.uint(uintptr(level))
	return f.fallible(symbols.hljs_logs_set_level)
}

// LogsNext waits for records, and gives them as JSON; nothing when none came within the timeout. It
// takes an operating system thread while it waits.
//
// hljs_code hljs_logs_next(uint64_t timeout, uint8_t **json, size_t *len, hljs_error **error);
func LogsNext(timeout uint64) ([]byte, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(uintptr(timeout))
	f.outData()
	if err := f.fallible(symbols.hljs_logs_next); err != nil {
		return nil, err
	}
	return f.given(), nil
}

// LogsStop ends what LogsStart began.
//
// hljs_code hljs_logs_stop(hljs_error **error);
func LogsStop() *Error {
	f := newFrame()
	defer f.done()
	return f.fallible(symbols.hljs_logs_stop)
}
