package capi

// ContextNew makes a context that is not cancelled.
//
// hljs_code hljs_context_new(hljs_context **context, hljs_error **error);
func ContextNew() (Context, *Error) {
	f := newFrame()
	defer f.done()
	f.outObject()
	err := f.fallible(symbols.hljs_context_new)
	return Context{f.object}, err
}

// ContextCancel stops the calls that run under a context, and refuses later ones.
//
// hljs_code hljs_context_cancel(const hljs_context *context, hljs_error **error);
func ContextCancel(c Context) *Error {
	f := newFrame()
	defer f.done()
	f.uint(c.ptr)
	return f.fallible(symbols.hljs_context_cancel)
}

// ContextReset makes a cancelled context usable again.
//
// hljs_code hljs_context_reset(const hljs_context *context, hljs_error **error);
func ContextReset(c Context) *Error {
	f := newFrame()
	defer f.done()
	f.uint(c.ptr)
	return f.fallible(symbols.hljs_context_reset)
}

// ContextFree frees a context; calls that run under it go on.
//
// void hljs_context_free(hljs_context *context);
func ContextFree(c Context) { free(c.ptr, symbols.hljs_context_free) }
