package capi

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/assert"
)

// callHost does what C does when the guest calls a host function.
func callHost(key, call uintptr, args string, blobs []byte) {
	pointer, blobsPointer := uintptr(unsafe.Pointer(unsafe.StringData(args))), uintptr(unsafe.Pointer(unsafe.SliceData(blobs)))
	purego.SyscallN(callbackFunctions.function, key, call, pointer, uintptr(len(args)), blobsPointer, uintptr(len(blobs)))
	runtime.KeepAlive(args)
	runtime.KeepAlive(blobs)
}

func TestHostCallback(t *testing.T) {
	type call struct {
		call        HostCall
		args, blobs string
	}
	var calls []call
	var kept [][]byte
	key := functions.add(HostFunction(func(native HostCall, args, blobs []byte) {
		calls = append(calls, call{native, string(args), string(blobs)})
		kept = append(kept, args, blobs)
	}))
	long := strings.Repeat("long ", 1<<10)
	args := []byte("[1]")
	callHost(key, 7, string(args), nil)
	callHost(key, 8, long, []byte("\x00\xff"))
	runtime.GC()
	assert.Equal(t, []call{{HostCall{7}, "[1]", ""}, {HostCall{8}, long, "\x00\xff"}}, calls)
	assert.Equal(t, [][]byte{args, {}, []byte(long), {0, 0xff}}, [][]byte{kept[0], append([]byte{}, kept[1]...), kept[2], kept[3]}, "arguments are copied")

	callDrop(key)
	callHost(key, 9, "[]", nil)
	assert.Len(t, calls, 2)

	// A key of something else finds nothing, either.
	other := functions.add(func(string) { t.Error("called") })
	callHost(other, 10, "[]", nil)
	callDrop(other)
}

// A function goes the way of the sandbox that it was registered with.
func TestHostFunctionsAreReleased(t *testing.T) {
	loadLibrary(t)
	before := functions.len()
	register := func(t *testing.T, proto ProtoSandbox, module, name string, expected int) {
		t.Helper()
		requireOK(t, ProtoSandboxRegister(proto, module, name, nothing))
		assert.Equal(t, before+expected, functions.len())
	}
	refused := func(t *testing.T, err *Error, code Code, message string, expected int) {
		t.Helper()
		requireError(t, err, code, message)
		assert.Equal(t, before+expected, functions.len())
	}
	builder, err := BuilderNew()
	requireOK(t, err)
	proto, err := BuilderBuild(builder)
	BuilderFree(builder)
	if !hypervisorPresent(t) {
		refused(t, ProtoSandboxRegister(proto, "m", "f", nothing), CodeInvalidArgument, "proto is NULL", 0)
		return
	}
	requireOK(t, err)
	register(t, proto, "m", "f", 1)
	register(t, proto, "m", "g", 2)
	register(t, proto, "m", "f", 2) // takes the place of the first
	register(t, proto, "", "", 3)
	refused(t, ProtoSandboxRegister(proto, "m\x00", "f", nothing), CodeInvalidArgument,
		"the module name contains a NUL byte at offset 1", 3)
	refused(t, ProtoSandboxRegister(proto, "m", strings.Repeat("f", 16<<10), nothing), CodeBufferTooSmall,
		"an error of the host function, which quotes its names, needs 17661 bytes of the input buffer, which has 16384", 3)
	ProtoSandboxFree(proto)
	assert.Equal(t, before, functions.len())
}
