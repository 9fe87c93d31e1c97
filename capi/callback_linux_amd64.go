package capi

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Callbacks have native frames below them, which nothing may unwind: the functions that they call return, and do what
// is a user's in Guarded.

// trampolines are the C addresses of the Go functions below. purego has 2,000 slots for the whole
// process and never frees one, so each is made once.
type trampolines struct{ print, function, stat, read, drop uintptr }

var callbackAddresses = sync.OnceValue(func() trampolines {
	return trampolines{
		print:    purego.NewCallback(onPrint),
		function: purego.NewCallback(onHostCall),
		stat:     purego.NewCallback(onStat),
		read:     purego.NewCallback(onRead),
		drop:     purego.NewCallback(onDrop),
	}
})

// onPrint is an hljs_print_fn. The text is borrowed, so it is copied.
func onPrint(key uintptr, text unsafe.Pointer, length uintptr) uintptr {
	if storms {
		stormInCallback()
	}
	if function, _ := functions.get(key).(func(string)); function != nil {
		function(strings.Clone(unsafe.String((*byte)(text), length)))
	}
	return 0
}

// onHostCall is an hljs_host_fn. The arguments are borrowed, so they are copied.
func onHostCall(key, call uintptr, args unsafe.Pointer, argsLen uintptr, blobs unsafe.Pointer, blobsLen uintptr) uintptr {
	if storms {
		stormInCallback()
	}
	if function, _ := functions.get(key).(HostFunction); function != nil {
		copiedArgs := bytes.Clone(unsafe.Slice((*byte)(args), argsLen))
		copiedBlobs := bytes.Clone(unsafe.Slice((*byte)(blobs), blobsLen))
		function(HostCall{call}, copiedArgs, copiedBlobs)
	}
	return 0
}

// onStat is an hljs_stat_fn.
func onStat(key uintptr, path unsafe.Pointer, length uintptr) uintptr {
	if storms {
		stormInCallback()
	}
	kind := FileKindNothing
	if tree, _ := functions.get(key).(FileTree); tree != nil {
		kind = tree.Stat(strings.Clone(unsafe.String((*byte)(path), length)))
	}
	return uintptr(kind)
}

// onRead is an hljs_read_fn.
func onRead(key, file uintptr, path unsafe.Pointer, length, maxLen uintptr) uintptr {
	if storms {
		stormInCallback()
	}
	if tree, _ := functions.get(key).(FileTree); tree != nil {
		tree.Read(File{file}, strings.Clone(unsafe.String((*byte)(path), length)), int(min(maxLen, math.MaxInt)))
	}
	return 0
}

// onDrop is an hljs_drop_fn.
func onDrop(key uintptr) uintptr {
	if storms {
		stormInCallback()
	}
	functions.remove(key)
	return 0
}
