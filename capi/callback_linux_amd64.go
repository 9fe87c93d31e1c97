package capi

import (
	"bytes"
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// trampolines are the C addresses of the Go functions below. purego has 2,000 slots for the whole
// process and never frees one, so each is made once.
type trampolines struct{ print, function, drop uintptr }

var callbackAddresses = sync.OnceValue(func() trampolines {
	return trampolines{
		print:    purego.NewCallback(onPrint),
		function: purego.NewCallback(onHostCall),
		drop:     purego.NewCallback(onDrop),
	}
})

// onPrint is an hljs_print_fn. The text is borrowed, so it is copied.
func onPrint(key uintptr, text unsafe.Pointer, length uintptr) uintptr {
	if function, _ := functions.get(key).(func(string)); function != nil {
		copied := strings.Clone(unsafe.String((*byte)(text), length))
		Guarded(func() { function(copied) })
	}
	return 0
}

// onHostCall is an hljs_host_fn. The arguments are borrowed, so they are copied.
func onHostCall(key, call uintptr, args unsafe.Pointer, argsLen uintptr, blobs unsafe.Pointer, blobsLen uintptr) uintptr {
	if function, _ := functions.get(key).(HostFunction); function != nil {
		copiedArgs := bytes.Clone(unsafe.Slice((*byte)(args), argsLen))
		copiedBlobs := bytes.Clone(unsafe.Slice((*byte)(blobs), blobsLen))
		function(HostCall{call}, copiedArgs, copiedBlobs)
	}
	return 0
}

// onDrop is an hljs_drop_fn.
func onDrop(key uintptr) uintptr {
	functions.remove(key)
	return 0
}
