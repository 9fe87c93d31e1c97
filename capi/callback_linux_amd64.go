package capi

import (
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// trampolines are the C addresses of the Go functions below. purego has 2,000 slots for the whole
// process and never frees one, so each is made once.
type trampolines struct{ print, drop uintptr }

var callbackAddresses = sync.OnceValue(func() trampolines {
	return trampolines{
		print: purego.NewCallback(onPrint),
		drop:  purego.NewCallback(onDrop),
	}
})

// onPrint is an hljs_print_fn. The text is borrowed, so it is copied.
func onPrint(key uintptr, text unsafe.Pointer, length uintptr) uintptr {
	if function := functions.get(key); function != nil {
		copied := strings.Clone(unsafe.String((*byte)(text), length))
		Guarded(func() { function(copied) })
	}
	return 0
}

// onDrop is an hljs_drop_fn.
func onDrop(key uintptr) uintptr {
	functions.remove(key)
	return 0
}
