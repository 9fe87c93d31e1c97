package main

import (
	"unsafe"

	"github.com/ebitengine/purego"
)

// outputs is where C writes to. It is on the heap, as a call back may move the stack, and made once.
type outputs struct {
	text    *byte
	length  uintptr
	failure uintptr
}

func (o *outputs) string() string { return unsafe.String(o.text, o.length) }

// syscallN is purego with addresses as arguments.
type syscallN struct {
	lib         *library
	out         *outputs
	builder     uintptr
	print, drop uintptr
	dropped     int
}

func newSyscallN(lib *library) (way, error) {
	s := &syscallN{lib: lib, out: &outputs{}}
	s.print = purego.NewCallback(func(_, _, _ uintptr) uintptr { return 0 })
	s.drop = purego.NewCallback(func(uintptr) uintptr {
		s.dropped++
		return 0
	})
	var err error
	s.builder, err = lib.newBuilder()
	return s, err
}

func (*syscallN) name() string { return "syscall_n" }

func (s *syscallN) call(times int) string {
	for range times {
		purego.SyscallN(s.lib.features, uintptr(unsafe.Pointer(&s.out.text)), uintptr(unsafe.Pointer(&s.out.length)))
	}
	return s.out.string()
}

func (s *syscallN) callback(times int) {
	for range times {
		code, _, _ := purego.SyscallN(s.lib.setPrint, s.builder, s.print, 0, s.drop, uintptr(unsafe.Pointer(&s.out.failure)))
		if code != 0 {
			panic(code)
		}
	}
}

// drops is how often the library called back.
func (s *syscallN) drops() int { return s.dropped }

// registerLibFunc is purego with Go functions in front of the C functions.
type registerLibFunc struct {
	*syscallN
	features func(text **byte, length *uintptr)
	setPrint func(builder, print, data, drop uintptr, failure *uintptr) uint32
}

func newRegisterLibFunc(lib *library) (way, error) {
	base, err := newSyscallN(lib)
	if err != nil {
		return nil, err
	}
	r := &registerLibFunc{syscallN: base.(*syscallN)}
	purego.RegisterFunc(&r.features, lib.features)
	purego.RegisterFunc(&r.setPrint, lib.setPrint)
	return r, nil
}

func (*registerLibFunc) name() string { return "register_lib_func" }

func (r *registerLibFunc) call(times int) string {
	for range times {
		r.features(&r.out.text, &r.out.length)
	}
	return r.out.string()
}

func (r *registerLibFunc) callback(times int) {
	for range times {
		if code := r.setPrint(r.builder, r.print, 0, r.drop, &r.out.failure); code != 0 {
			panic(code)
		}
	}
}
