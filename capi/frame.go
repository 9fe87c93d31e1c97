package capi

import (
	"bytes"
	"strings"
	"sync"
	"unsafe"
)

// frame is the memory of one native call: its arguments, its outputs, and the Go memory that the
// callee reads. It lives on the heap, because a callback into Go may grow, and so move, the stack of
// the goroutine that made the call. Frames are reused: a call allocates nothing but its results.
type frame struct {
	// What native_linux_amd64.s reads and writes, in this order.
	function uintptr
	args     [15]uintptr
	result   uintptr
	guarding uintptr // 1: guard has a coroutine, which has to end before the call does

	guard *Guard // of the functions that are called back meanwhile, or nil

	used int

	// Go memory that args point into. Storing it here makes it escape to the heap and keeps it alive
	// until the call has returned.
	pins   [5]unsafe.Pointer
	pinned int

	// Outputs. C writes pointers to C memory here, which Go's collector ignores.
	object  uintptr
	data    unsafe.Pointer
	dataLen uintptr
	lengths unsafe.Pointer
	errors  unsafe.Pointer
	count   uintptr
	end     uintptr
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
	if f.guard != nil {
		f.guard.frame = nil
	}
	*f = frame{}
	frames.Put(f)
}

// guarded has a guard serve what is called back during the call.
func (f *frame) guarded(guard *Guard) {
	if guard != nil {
		f.guard, guard.frame = guard, f
	}
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
	f.pointer(start)
	f.uint(uintptr(length))
}

// list passes texts as pointers, lengths, and how many they are.
func (f *frame) list(texts [][]byte) {
	f.pointer(unsafe.Pointer(unsafe.SliceData(starts(texts))))
	f.pointer(unsafe.Pointer(unsafe.SliceData(lengths(texts))))
	f.uint(uintptr(len(texts)))
}

func (f *frame) pointer(start unsafe.Pointer) {
	f.pins[f.pinned] = start
	f.pinned++
	f.uint(uintptr(start))
}

// starts are where texts begin. The list keeps the texts alive, and has them on the heap.
func starts(texts [][]byte) []unsafe.Pointer {
	list := make([]unsafe.Pointer, len(texts))
	for i, text := range texts {
		if len(text) > 0 {
			list[i] = unsafe.Pointer(unsafe.SliceData(text))
		}
	}
	return list
}

// lengths are how long texts are.
func lengths(texts [][]byte) []uintptr {
	list := make([]uintptr, len(texts))
	for i, text := range texts {
		list[i] = uintptr(len(text))
	}
	return list
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

func (f *frame) outLists() {
	f.uint(uintptr(unsafe.Pointer(&f.lengths)))
	f.uint(uintptr(unsafe.Pointer(&f.errors)))
	f.uint(uintptr(unsafe.Pointer(&f.count)))
}

func (f *frame) outEnd() { f.uint(uintptr(unsafe.Pointer(&f.end))) }

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
	if storms {
		defer startStorm(symbol).end()
	}
	f.function = symbol
	f.callNative()
	return f.result
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

// lentTexts copies texts that C lends, one behind the other. The copies share memory.
func (f *frame) lentTexts() [][]byte {
	all := make([]byte, f.dataLen)
	copy(all, unsafe.Slice((*byte)(f.data), f.dataLen))
	texts := make([][]byte, f.count)
	for i, length := range unsafe.Slice((*uintptr)(f.lengths), f.count) {
		texts[i], all = all[:length:length], all[length:]
	}
	return texts
}

// lentErrors copies errors that C lends, which may be none at all, and the one that is the end, which may be the last.
func (f *frame) lentErrors() (errors []*Error, end *Error) {
	natives := unsafe.Slice((*uintptr)(f.errors), f.count)
	for i, native := range natives {
		if native == 0 {
			continue
		}
		if errors == nil {
			errors = make([]*Error, f.count)
		}
		errors[i] = copyError(native)
	}
	last := len(natives) - 1
	switch {
	case f.end == 0:
		return errors, nil
	case last >= 0 && natives[last] == f.end:
		return errors, errors[last]
	default:
		return errors, copyError(f.end)
	}
}

// given copies bytes that C gives, and frees them.
func (f *frame) given() []byte {
	if f.data == nil {
		return []byte{}
	}
	result := bytes.Clone(unsafe.Slice((*byte)(f.data), f.dataLen))
	bufferFree(uintptr(f.data), f.dataLen)
	return result
}
