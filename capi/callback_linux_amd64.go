package capi

import (
	"bytes"
	"math"
	"strings"
	"unsafe"
)

// Callbacks have native frames below them, which nothing may unwind: the functions that they call return, and do what
// is a user's in Guarded.

// trampolines are the addresses of the C functions that C is given, in the order of native_linux_amd64.s.
type trampolines struct{ print, function, stat, read, drop uintptr }

// callbackFunctions are those of the file in assembly.
var callbackFunctions trampolines

// The kinds of a callback. The file in assembly has them from here.
const (
	kindPrint = iota
	kindFunction
	kindStat
	kindRead
	kindDrop
	kindReturned // not C's: callC makes it when a call has returned whose guard must end
)

// callback is a call from C, on its stack: which kind, six arguments, of which it may have fewer, and the result.
type callback struct {
	kind   uintptr
	args   [6]uintptr
	result uintptr
}

// taker is where C enters Go.
//
//lint:ignore U1000 The assembly reads it.
var taker = take

// take has native frames below it. They keep the callback where it is.
func take(c *callback) {
	a := &c.args
	if storms {
		stormInCallback()
	}
	switch c.kind {
	case kindPrint:
		onPrint(a[0], pointer(&a[1]), a[2])
	case kindFunction:
		onHostCall(a[0], a[1], pointer(&a[2]), a[3], pointer(&a[4]), a[5])
	case kindStat:
		c.result = onStat(a[0], pointer(&a[1]), a[2])
	case kindRead:
		onRead(a[0], a[1], pointer(&a[2]), a[3], a[4])
	case kindDrop:
		onDrop(a[0])
	case kindReturned:
		(*frame)(pointer(&a[0])).guard.finish()
	}
}

// pointer is an argument that is one, to memory of C.
func pointer(argument *uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(argument)) }

// onPrint is an hljs_print_fn. The text is borrowed, so it is copied.
func onPrint(key uintptr, text unsafe.Pointer, length uintptr) {
	if function, _ := functions.get(key).(func(string)); function != nil {
		function(strings.Clone(unsafe.String((*byte)(text), length)))
	}
}

// onHostCall is an hljs_host_fn. The arguments are borrowed, so they are copied.
func onHostCall(key, call uintptr, args unsafe.Pointer, argsLen uintptr, blobs unsafe.Pointer, blobsLen uintptr) {
	if function, _ := functions.get(key).(HostFunction); function != nil {
		copiedArgs := bytes.Clone(unsafe.Slice((*byte)(args), argsLen))
		copiedBlobs := bytes.Clone(unsafe.Slice((*byte)(blobs), blobsLen))
		function(HostCall{call}, copiedArgs, copiedBlobs)
	}
}

// onStat is an hljs_stat_fn.
func onStat(key uintptr, path unsafe.Pointer, length uintptr) uintptr {
	kind := FileKindNothing
	if tree, _ := functions.get(key).(FileTree); tree != nil {
		kind = tree.Stat(strings.Clone(unsafe.String((*byte)(path), length)))
	}
	return uintptr(kind)
}

// onRead is an hljs_read_fn.
func onRead(key, file uintptr, path unsafe.Pointer, length, maxLen uintptr) {
	if tree, _ := functions.get(key).(FileTree); tree != nil {
		tree.Read(File{file}, strings.Clone(unsafe.String((*byte)(path), length)), int(min(maxLen, math.MaxInt)))
	}
}

// onDrop is an hljs_drop_fn.
func onDrop(key uintptr) {
	functions.remove(key)
}
