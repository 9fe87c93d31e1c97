package capi

// InterruptHandleKill stops the call that runs, if one does. The result says whether a signal was sent.
//
// hljs_code hljs_interrupt_handle_kill(const hljs_interrupt_handle *handle, uint32_t *sent, hljs_error **error);
func InterruptHandleKill(h InterruptHandle) (bool, *Error) {
	return interruptHandleAsk(h, symbols.hljs_interrupt_handle_kill)
}

// InterruptHandleDropped says whether the micro-VM is gone.
//
// hljs_code hljs_interrupt_handle_dropped(const hljs_interrupt_handle *handle, uint32_t *dropped, hljs_error **error);
func InterruptHandleDropped(h InterruptHandle) (bool, *Error) {
	return interruptHandleAsk(h, symbols.hljs_interrupt_handle_dropped)
}

// InterruptHandleFree frees an interrupt handle.
//
// void hljs_interrupt_handle_free(hljs_interrupt_handle *handle);
func InterruptHandleFree(h InterruptHandle) { free(h.ptr, symbols.hljs_interrupt_handle_free) }

func interruptHandleAsk(h InterruptHandle, symbol uintptr) (bool, *Error) {
	f := newFrame()
	defer f.done()
	f.uint(h.ptr)
	f.outNumber()
	err := f.fallible(symbol)
	return f.number != 0, err
}
