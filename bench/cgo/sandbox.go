package main

// #include "shim.h"
import "C"

import (
	"log"
	"unsafe"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

type loadedSandbox struct{ loaded *C.hljs_loaded_sandbox }

func start(source string) loadedSandbox { return startProto(newProto(), source) }

func startProto(proto *C.hljs_proto_sandbox, source string) loadedSandbox {
	sandbox := boot(proto)
	add(sandbox, "handler", source)
	return load(sandbox)
}

func newProto() *C.hljs_proto_sandbox {
	var builder *C.hljs_builder
	var proto *C.hljs_proto_sandbox
	var failure *C.hljs_error
	check(C.hljs_builder_new(&builder, &failure), failure)
	check(C.hljs_builder_set_heap_size(builder, workload.HeapBytes, &failure), failure)
	check(C.hljs_builder_set_scratch_size(builder, workload.ScratchBytes, &failure), failure)
	check(C.hljs_builder_set_input_buffer_size(builder, workload.BufferBytes, &failure), failure)
	check(C.hljs_builder_set_output_buffer_size(builder, workload.BufferBytes, &failure), failure)
	check(C.hljs_builder_build(builder, &proto, &failure), failure)
	C.hljs_builder_free(builder)
	return proto
}

func boot(proto *C.hljs_proto_sandbox) *C.hljs_sandbox {
	var sandbox *C.hljs_sandbox
	var failure *C.hljs_error
	check(C.hljs_proto_sandbox_load_runtime(proto, &sandbox, &failure), failure)
	C.hljs_proto_sandbox_free(proto)
	return sandbox
}

func add(sandbox *C.hljs_sandbox, name, source string) {
	var failure *C.hljs_error
	n, s := []byte(name), []byte(source)
	check(C.hljs_sandbox_add_handler(sandbox, pointer(n), C.size_t(len(n)), pointer(s), C.size_t(len(s)), nil, 0, &failure),
		failure)
}

func load(sandbox *C.hljs_sandbox) loadedSandbox {
	var loaded *C.hljs_loaded_sandbox
	var failure *C.hljs_error
	check(C.hljs_sandbox_get_loaded_sandbox(sandbox, nil, &loaded, &failure), failure)
	C.hljs_sandbox_free(sandbox)
	return loadedSandbox{loaded}
}

func (l loadedSandbox) unload() *C.hljs_sandbox {
	var sandbox *C.hljs_sandbox
	var failure *C.hljs_error
	check(C.hljs_loaded_sandbox_unload(l.loaded, &sandbox, &failure), failure)
	l.free()
	return sandbox
}

// call gives the result as Go's own bytes, as a binding would.
func (l loadedSandbox) call(event []byte, gc bool, monitors []*C.hljs_monitor) []byte {
	var result *C.uint8_t
	var length C.size_t
	var failure *C.hljs_error
	var collect C.uint32_t
	if gc {
		collect = 1
	}
	name := []byte("handler")
	check(C.hljs_loaded_sandbox_handle_event(l.loaded, pointer(name), C.size_t(len(name)), pointer(event),
		C.size_t(len(event)), collect, unsafe.SliceData(monitors), C.size_t(len(monitors)), nil, &result, &length,
		&failure), failure)
	bytes := C.GoBytes(unsafe.Pointer(result), C.int(length))
	C.hljs_buffer_free(result, length)
	return bytes
}

func (l loadedSandbox) snapshot() *C.hljs_snapshot {
	var taken *C.hljs_snapshot
	var failure *C.hljs_error
	check(C.hljs_loaded_sandbox_snapshot(l.loaded, &taken, &failure), failure)
	return taken
}

func (l loadedSandbox) restore(taken *C.hljs_snapshot) {
	var failure *C.hljs_error
	check(C.hljs_loaded_sandbox_restore(l.loaded, taken, &failure), failure)
}

func (l loadedSandbox) free() { C.hljs_loaded_sandbox_free(l.loaded) }

func pointer(bytes []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(bytes)) }

// check ends the program when a call failed.
func check(code C.hljs_code, failure *C.hljs_error) {
	if code == C.HLJS_CODE_OK {
		return
	}
	var text *C.uint8_t
	var length C.size_t
	C.hljs_error_message(failure, &text, &length)
	log.Fatalf("code %d: %s", code, C.GoBytes(unsafe.Pointer(text), C.int(length)))
}
