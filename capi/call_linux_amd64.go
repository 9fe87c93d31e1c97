package capi

import (
	"unsafe"

	// For cgocall, and for a runtime that is ready for C without cgo.
	_ "github.com/ebitengine/purego"
)

// cgocall runs a C function on a stack of the thread, with the collector and the scheduler told. This is what cgo's own
// calls come to, and purego's: Go's runtime promises to leave it as it is for the latter.
//
//go:linkname cgocall runtime.cgocall
//go:noescape
func cgocall(function uintptr, argument unsafe.Pointer) int32

// callCAddress is that of callC (native_linux_amd64.s).
var callCAddress uintptr

// callNative calls the C function that the frame names.
func (f *frame) callNative() { cgocall(callCAddress, unsafe.Pointer(f)) }

// Goroutine tells goroutines that are alive apart: it is where Go keeps what it knows of this one.
func Goroutine() uintptr

// deepen sees to it that this goroutine has a stack of some 12 KB or more.
func deepen()
