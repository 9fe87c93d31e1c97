package capi

// BuilderNew starts with upstream's defaults.
//
// hljs_code hljs_builder_new(hljs_builder **builder, hljs_error **error);
func BuilderNew() (Builder, *Error) {
	f := newFrame()
	defer f.done()
	f.outObject()
	err := f.fallible(symbols.hljs_builder_new)
	return Builder{f.object}, err
}

// BuilderSetHeapSize sets the size of the guest's heap in bytes.
//
// hljs_code hljs_builder_set_heap_size(const hljs_builder *builder, uint64_t bytes, hljs_error **error);
func BuilderSetHeapSize(b Builder, bytes uint64) *Error {
	return builderSet(b, symbols.hljs_builder_set_heap_size, bytes)
}

// BuilderSetScratchSize sets the size of the scratch region in bytes.
//
// hljs_code hljs_builder_set_scratch_size(const hljs_builder *builder, uint64_t bytes, hljs_error **error);
func BuilderSetScratchSize(b Builder, bytes uint64) *Error {
	return builderSet(b, symbols.hljs_builder_set_scratch_size, bytes)
}

// BuilderSetInputBufferSize sets the size of the buffer from host to guest in bytes.
//
// hljs_code hljs_builder_set_input_buffer_size(const hljs_builder *builder, uint64_t bytes, hljs_error **error);
func BuilderSetInputBufferSize(b Builder, bytes uint64) *Error {
	return builderSet(b, symbols.hljs_builder_set_input_buffer_size, bytes)
}

// BuilderSetOutputBufferSize sets the size of the buffer from guest to host in bytes.
//
// hljs_code hljs_builder_set_output_buffer_size(const hljs_builder *builder, uint64_t bytes, hljs_error **error);
func BuilderSetOutputBufferSize(b Builder, bytes uint64) *Error {
	return builderSet(b, symbols.hljs_builder_set_output_buffer_size, bytes)
}

// BuilderSetInterruptRetryDelay sets the pause between two signals of an interrupt.
//
// hljs_code hljs_builder_set_interrupt_retry_delay(const hljs_builder *builder, uint64_t nanoseconds, hljs_error **error);
func BuilderSetInterruptRetryDelay(b Builder, nanoseconds uint64) *Error {
	return builderSet(b, symbols.hljs_builder_set_interrupt_retry_delay, nanoseconds)
}

// BuilderSetInterruptSignalOffset chooses the interrupt signal, counted from SIGRTMIN.
//
// hljs_code hljs_builder_set_interrupt_signal_offset(const hljs_builder *builder, uint8_t offset, hljs_error **error);
func BuilderSetInterruptSignalOffset(b Builder, offset uint8) *Error {
	return builderSet(b, symbols.hljs_builder_set_interrupt_signal_offset, uint64(offset))
}

// BuilderSetPrint gives the function that takes what the guest prints, while the guest waits. It must neither
// panic nor end its goroutine: what is a user's runs Guarded in it.
//
// hljs_code hljs_builder_set_print(const hljs_builder *builder, hljs_print_fn print, void *user_data, hljs_drop_fn drop, hljs_error **error);
func BuilderSetPrint(b Builder, print func(text string)) *Error {
	callbacks := callbackFunctions
	f := newFrame()
	defer f.done()
	f.uint(b.ptr)
	f.uint(callbacks.print)
	f.uint(functions.add(print)) // Released by drop, which runs even when this call fails.
	f.uint(callbacks.drop)
	return f.fallible(symbols.hljs_builder_set_print)
}

// BuilderSetCrashdumpEnabled turns core dumps of crashed guests on or off.
//
// hljs_code hljs_builder_set_crashdump_enabled(const hljs_builder *builder, uint32_t enabled, hljs_error **error);
func BuilderSetCrashdumpEnabled(b Builder, enabled bool) *Error {
	f := newFrame()
	defer f.done()
	f.uint(b.ptr)
	f.flag(enabled)
	return f.fallible(symbols.hljs_builder_set_crashdump_enabled)
}

// BuilderSetDebuggingPort makes the guest wait for gdb on a TCP port.
//
// hljs_code hljs_builder_set_debugging_port(const hljs_builder *builder, uint16_t port, hljs_error **error);
func BuilderSetDebuggingPort(b Builder, port uint16) *Error {
	return builderSet(b, symbols.hljs_builder_set_debugging_port, uint64(port))
}

// BuilderGetConfig reads the options back.
//
// hljs_code hljs_builder_get_config(const hljs_builder *builder, uint64_t *heap_size, uint64_t *scratch_size, uint64_t *input_buffer_size, uint64_t *output_buffer_size, uint64_t *interrupt_retry_delay, uint8_t *interrupt_signal_offset, hljs_error **error);
func BuilderGetConfig(b Builder) (Config, *Error) {
	return config(b.ptr, symbols.hljs_builder_get_config)
}

// BuilderBuild consumes the builder, also on failure.
//
// hljs_code hljs_builder_build(const hljs_builder *builder, hljs_proto_sandbox **sandbox, hljs_error **error);
func BuilderBuild(b Builder) (ProtoSandbox, *Error) {
	object, err := transition(b.ptr, symbols.hljs_builder_build)
	return ProtoSandbox{object}, err
}

// BuilderFree frees a builder.
//
// void hljs_builder_free(hljs_builder *builder);
func BuilderFree(b Builder) { free(b.ptr, symbols.hljs_builder_free) }

// builderSet calls one of the functions that set a number.
func builderSet(b Builder, symbol uintptr, value uint64) *Error {
	f := newFrame()
	defer f.done()
	f.uint(b.ptr)
	f.uint(uintptr(value))
	return f.fallible(symbol)
}

// config calls one of the _get_config functions.
func config(native, symbol uintptr) (Config, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(native)
	f.outConfig()
	err := f.fallible(symbol)
	return f.config, err
}

// transition calls one of the functions that turn an object into the next.
func transition(source, symbol uintptr) (uintptr, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(source)
	f.outObject()
	err := f.fallible(symbol)
	return f.object, err
}
