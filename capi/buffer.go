package capi

// void hljs_buffer_free(uint8_t *data, size_t len);
func bufferFree(data, length uintptr) {
	f := newFrame()
	defer f.done()
	f.uint(data)
	f.uint(length)
	f.call(symbols.hljs_buffer_free)
}
