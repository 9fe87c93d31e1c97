package capi

// FileTree is what an hljs_stat_fn and an hljs_read_fn do. Paths are as package io/fs wants them. Its methods must
// neither panic nor end their goroutine: what is a user's runs Guarded in them.
type FileTree interface {
	// Stat says what is at path.
	Stat(path string) FileKind
	// Read answers with FileGive or FileFail before it returns. More than maxLen bytes are refused.
	Read(file File, path string, maxLen int)
}

// FileGive answers FileTree.Read with the file's content. If it is refused, that is the answer.
//
// hljs_code hljs_file_give(const hljs_file *file, const uint8_t *data, size_t data_len, hljs_error **error);
func FileGive(file File, data []byte) *Error {
	f := newFrame()
	defer f.done()
	f.uint(file.ptr)
	f.bytes(data)
	return f.fallible(symbols.hljs_file_give)
}

// FileFail answers FileTree.Read with the reason why the file cannot be read.
//
// hljs_code hljs_file_fail(const hljs_file *file, const uint8_t *reason, size_t reason_len, hljs_error **error);
func FileFail(file File, reason string) *Error {
	f := newFrame()
	defer f.done()
	f.uint(file.ptr)
	f.text(reason)
	return f.fallible(symbols.hljs_file_fail)
}
