package main

/*
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef void (*features_fn)(const uint8_t **text, size_t *length);
typedef void (*print_fn)(void *data, const uint8_t *text, size_t length);
typedef void (*drop_fn)(void *data);
typedef uint32_t (*set_print_fn)(const void *builder, print_fn print, void *data, drop_fn drop, void **failure);

extern void boundaryDrop(void *data);

static void print_nothing(void *data, const uint8_t *text, size_t length) {
	(void)data, (void)text, (void)length;
}

static void count_drop(void *data) { ++*(size_t *)data; }

static void call_features(uintptr_t function, const uint8_t **text, size_t *length) {
	((features_fn)function)(text, length);
}

static uint32_t call_set_print(uintptr_t function, uintptr_t builder, void **failure) {
	return ((set_print_fn)function)((void *)builder, print_nothing, NULL, boundaryDrop, failure);
}

// The same in C alone, which shows what of the others is not the crossing.
static void repeat_features(uintptr_t function, size_t times, const uint8_t **text, size_t *length) {
	for (size_t i = 0; i < times; i++) ((features_fn)function)(text, length);
}

static uint32_t repeat_set_print(uintptr_t function, uintptr_t builder, size_t times, size_t *dropped, void **failure) {
	uint32_t code = 0;
	for (size_t i = 0; i < times && code == 0; i++)
		code = ((set_print_fn)function)((void *)builder, print_nothing, dropped, count_drop, failure);
	return code;
}
*/
import "C"

import "unsafe"

func init() { ways = append(ways, newCgo, newC) }

// cgoOutputs is where C writes to, made once as for the others.
type cgoOutputs struct {
	text    *C.uint8_t
	length  C.size_t
	failure unsafe.Pointer
}

func (o *cgoOutputs) string() string {
	return unsafe.String((*byte)(o.text), int(o.length))
}

// cgoWay is Go's own way.
type cgoWay struct {
	lib     *library
	builder uintptr
	out     *cgoOutputs
}

func newCgo(lib *library) (way, error) {
	builder, err := lib.newBuilder()
	return &cgoWay{lib, builder, &cgoOutputs{}}, err
}

func (*cgoWay) name() string { return "cgo" }

func (c *cgoWay) call(times int) string {
	for range times {
		C.call_features(C.uintptr_t(c.lib.features), &c.out.text, &c.out.length)
	}
	return c.out.string()
}

func (c *cgoWay) callback(times int) {
	for range times {
		if code := C.call_set_print(C.uintptr_t(c.lib.setPrint), C.uintptr_t(c.builder), &c.out.failure); code != 0 {
			panic(code)
		}
	}
}

// cgoDropped counts what boundaryDrop was called for.
var cgoDropped int

//export boundaryDrop
func boundaryDrop(unsafe.Pointer) { cgoDropped++ }

func (*cgoWay) drops() int { return cgoDropped }

// cWay is C that calls C. The count is in C's memory, where the library keeps its address.
type cWay struct {
	*cgoWay
	dropped *C.size_t
}

func newC(lib *library) (way, error) {
	base, err := newCgo(lib)
	if err != nil {
		return nil, err
	}
	return &cWay{base.(*cgoWay), (*C.size_t)(C.calloc(1, C.sizeof_size_t))}, nil
}

func (*cWay) name() string { return "c" }

func (c *cWay) call(times int) string {
	C.repeat_features(C.uintptr_t(c.lib.features), C.size_t(times), &c.out.text, &c.out.length)
	return c.out.string()
}

func (c *cWay) callback(times int) {
	code := C.repeat_set_print(C.uintptr_t(c.lib.setPrint), C.uintptr_t(c.builder), C.size_t(times), c.dropped, &c.out.failure)
	if code != 0 {
		panic(code)
	}
}

func (c *cWay) drops() int { return int(*c.dropped) }
