//go:build linux && amd64

package capi

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/assert"
)

// purego has room for 2,000 callbacks in a process, and none is ever given back.
func TestCallbacksAreMadeOnce(t *testing.T) {
	loadLibrary(t)
	builder, err := BuilderNew()
	requireOK(t, err)
	defer BuilderFree(builder)
	for range 2001 {
		requireOK(t, BuilderSetPrint(builder, func(string) {}))
	}
}

// The drop function runs exactly once for each function that was given to C, whatever became of it.
func TestPrintFunctionsAreReleased(t *testing.T) {
	loadLibrary(t)
	before := functions.len()
	set := func(t *testing.T, builder Builder) {
		t.Helper()
		requireOK(t, BuilderSetPrint(builder, func(string) {}))
	}
	build := func(t *testing.T, builder Builder) ProtoSandbox {
		t.Helper()
		proto, err := BuilderBuild(builder)
		if hypervisorPresent(t) {
			requireOK(t, err)
		}
		return proto
	}
	for name, test := range map[string]func(t *testing.T, builder Builder){
		"the last one counts": func(t *testing.T, builder Builder) {
			for range 3 {
				set(t, builder)
				assert.Equal(t, before+1, functions.len())
			}
			BuilderFree(builder)
		},
		"a NULL builder": func(t *testing.T, builder Builder) {
			set(t, builder)
			requireError(t, BuilderSetPrint(Builder{}, func(string) {}), CodeInvalidArgument, "builder is NULL")
			assert.Equal(t, before+1, functions.len())
			BuilderFree(builder)
		},
		"a proto sandbox takes it over": func(t *testing.T, builder Builder) {
			set(t, builder)
			proto := build(t, builder)
			BuilderFree(builder)
			if proto != (ProtoSandbox{}) {
				assert.Equal(t, before+1, functions.len())
			}
			ProtoSandboxFree(proto)
		},
		"a build that fails": func(t *testing.T, builder Builder) {
			set(t, builder)
			requireOK(t, BuilderSetInputBufferSize(builder, 1<<20))
			if _, err := BuilderBuild(builder); err == nil {
				t.Error("it was built")
			}
			assert.Equal(t, before, functions.len(), "the consumed builder holds nothing")
			BuilderFree(builder)
		},
		"no function": func(t *testing.T, builder Builder) {
			requireOK(t, BuilderSetPrint(builder, nil))
			assert.Equal(t, before+1, functions.len())
			BuilderFree(builder)
		},
	} {
		t.Run(name, func(t *testing.T) {
			builder, err := BuilderNew()
			requireOK(t, err)
			test(t, builder)
			assert.Equal(t, before, functions.len())
		})
	}
}

// callPrint does what C does when the guest has printed.
func callPrint(key uintptr, text string) {
	address := uintptr(unsafe.Pointer(unsafe.StringData(text)))
	if text == "" {
		address = 0
	}
	purego.SyscallN(callbackFunctions.print, key, address, uintptr(len(text)))
	runtime.KeepAlive(text)
}

func callDrop(key uintptr) { purego.SyscallN(callbackFunctions.drop, key) }

func TestPrintCallback(t *testing.T) {
	var printed []string
	key := functions.add(func(text string) { printed = append(printed, text) })
	texts := []string{"", "text", "a\x00b", "\xff", strings.Repeat("long ", 1<<10)}
	for _, text := range texts {
		callPrint(key, strings.Clone(text)) // A literal has no place on the heap that could be reused.
	}
	runtime.GC()
	assert.Equal(t, texts, printed, "what is printed is copied")

	callDrop(key)
	callPrint(key, "too late")
	assert.Equal(t, texts, printed)
	callDrop(key)
}

func TestPrintCallbackSurvives(t *testing.T) {
	before := functions.len()
	for name, test := range map[string]func(key uintptr, text string){
		"its own release":    func(key uintptr, _ string) { callDrop(key) },
		"printing, in print": func(_ uintptr, text string) { callPrint(0, text) },
		"a growing stack":    func(uintptr, string) { growStack(1000) },
		"a collection":       func(uintptr, string) { runtime.GC() },
	} {
		t.Run(name, func(t *testing.T) {
			var key uintptr
			called := false
			key = functions.add(func(text string) {
				called = true
				test(key, text)
			})
			callPrint(key, "text")
			assert.True(t, called)
			callDrop(key)
			assert.Equal(t, before, functions.len())
		})
	}
	key := functions.add(nil)
	callPrint(key, "text")
	callDrop(key)
}

// growStack needs a stack of some 100 bytes a step, so that Go has to move it.
func growStack(depth int) byte {
	var space [100]byte
	if depth > 0 {
		space[depth%len(space)] = growStack(depth - 1)
	}
	return space[len(space)/2]
}
