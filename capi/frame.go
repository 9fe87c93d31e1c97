package capi

import (
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// frame is the memory of one native call: its arguments, its outputs, and the Go memory that the
// callee reads. It lives on the heap, because a callback into Go may grow, and so move, the stack of
// the goroutine that made the call. Frames are reused: a call allocates nothing but its results.
type frame struct {
	args [12]uintptr
	used int

	// Go memory that args point into. Storing it here makes it escape to the heap and keeps it alive
	// until the call has returned.
	pins   [3]unsafe.Pointer
	pinned int

	// Outputs. C writes pointers to C memory here, which Go's collector ignores.
	object  uintptr
	data    unsafe.Pointer
	dataLen uintptr
	status  uint32
	number  uint32
	size    uint64
	config  Config
	stats   Stats
	err     uintptr
}

var frames = sync.Pool{New: func() any { return new(frame) }}

// newFrame starts a call. Its last act must be done.
func newFrame() *frame { return frames.Get().(*frame) }

// done ends a call and the life of everything that points into the frame.
func (f *frame) done() {
	*f = frame{}
	frames.Put(f)
}

func (f *frame) uint(value uintptr) {
	f.args[f.used] = value
	f.used++
}

// flag passes 0 or 1.
func (f *frame) flag(on bool) {
	var value uintptr
	if on {
		value = 1
	}
	f.uint(value)
}

// text passes a string as pointer and length.
func (f *frame) text(s string) { f.memory(unsafe.Pointer(unsafe.StringData(s)), len(s)) }

// bytes passes a slice as pointer and length.
func (f *frame) bytes(b []byte) { f.memory(unsafe.Pointer(unsafe.SliceData(b)), len(b)) }

// objects passes a list of objects as pointer and length: a Monitor is nothing but its pointer.
func (f *frame) objects(list []Monitor) { f.memory(unsafe.Pointer(unsafe.SliceData(list)), len(list)) }

func (f *frame) memory(start unsafe.Pointer, length int) {
	if length == 0 {
		start = nil
	}
	f.pins[f.pinned] = start
	f.pinned++
	f.uint(uintptr(start))
	f.uint(uintptr(length))
}

// The outputs, passed as pointers into the frame: it is on the heap, where nothing moves.
func (f *frame) outObject() { f.uint(uintptr(unsafe.Pointer(&f.object))) }
func (f *frame) outStatus() { f.uint(uintptr(unsafe.Pointer(&f.status))) }
func (f *frame) outNumber() { f.uint(uintptr(unsafe.Pointer(&f.number))) }
func (f *frame) outSize()   { f.uint(uintptr(unsafe.Pointer(&f.size))) }
func (f *frame) outError()  { f.uint(uintptr(unsafe.Pointer(&f.err))) }

func (f *frame) outData() {
	f.uint(uintptr(unsafe.Pointer(&f.data)))
	f.uint(uintptr(unsafe.Pointer(&f.dataLen)))
}

func (f *frame) outSizes() {
	f.uint(uintptr(unsafe.Pointer(&f.config.HeapSize)))
	f.uint(uintptr(unsafe.Pointer(&f.config.ScratchSize)))
	f.uint(uintptr(unsafe.Pointer(&f.config.InputBufferSize)))
	f.uint(uintptr(unsafe.Pointer(&f.config.OutputBufferSize)))
}

func (f *frame) outConfig() {
	f.outSizes()
	f.uint(uintptr(unsafe.Pointer(&f.config.InterruptRetryDelay)))
	f.uint(uintptr(unsafe.Pointer(&f.config.InterruptSignalOffset)))
}

func (f *frame) outStats() {
	f.uint(uintptr(unsafe.Pointer(&f.stats.Calls)))
	f.uint(uintptr(unsafe.Pointer(&f.stats.WallClock)))
	f.uint(uintptr(unsafe.Pointer(&f.stats.CPUTime)))
	f.uint(uintptr(unsafe.Pointer(&f.stats.HasCPUTime)))
}

// call crosses into C. The frame is used after it, so it, and what it pins, outlive the call.
func (f *frame) call(symbol uintptr) uintptr {
	result, _, _ := purego.SyscallN(symbol, f.args[:f.used]...)
	return result
}

// fallible is call for functions that return an hljs_code and take an error last.
func (f *frame) fallible(symbol uintptr) *Error {
	f.outError()
	code := Code(uint32(f.call(symbol)))
	if code == CodeOK {
		return nil
	}
	return takeError(code, f.err)
}

// lent copies text that C lends.
func (f *frame) lent() string {
	return strings.Clone(unsafe.String((*byte)(f.data), f.dataLen))
}

// given copies bytes that C gives, and frees them.
func (f *frame) given() []byte {
	if f.data == nil {
		return []byte{}
	}
	result := make([]byte, f.dataLen)
	copy(result, unsafe.Slice((*byte)(f.data), f.dataLen))
	bufferFree(uintptr(f.data), f.dataLen)
	return result
}
