//go:build linux && amd64

package capi

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// discard drops a result, to give all calls one shape.
func discard[T any](_ T, err *Error) *Error { return err }

// nullCalls calls each fallible function that takes an object, with NULL for it.
var nullCalls = map[string]func() *Error{
	"hljs_builder_set_heap_size":             func() *Error { return BuilderSetHeapSize(Builder{}, 4<<20) },
	"hljs_builder_set_scratch_size":          func() *Error { return BuilderSetScratchSize(Builder{}, 4<<20) },
	"hljs_builder_set_input_buffer_size":     func() *Error { return BuilderSetInputBufferSize(Builder{}, 4<<20) },
	"hljs_builder_set_output_buffer_size":    func() *Error { return BuilderSetOutputBufferSize(Builder{}, 4<<20) },
	"hljs_builder_set_interrupt_retry_delay": func() *Error { return BuilderSetInterruptRetryDelay(Builder{}, 1) },
	"hljs_builder_set_interrupt_signal_offset": func() *Error {
		return BuilderSetInterruptSignalOffset(Builder{}, 1)
	},
	"hljs_builder_set_print":             func() *Error { return BuilderSetPrint(Builder{}, func(string) {}) },
	"hljs_builder_set_crashdump_enabled": func() *Error { return BuilderSetCrashdumpEnabled(Builder{}, true) },
	"hljs_builder_set_debugging_port":    func() *Error { return BuilderSetDebuggingPort(Builder{}, 1) },
	"hljs_builder_get_config":            func() *Error { return discard(BuilderGetConfig(Builder{})) },
	"hljs_builder_build":                 func() *Error { return discard(BuilderBuild(Builder{})) },
	"hljs_proto_sandbox_load_runtime":    func() *Error { return discard(ProtoSandboxLoadRuntime(ProtoSandbox{})) },
	"hljs_sandbox_add_handler":           func() *Error { return SandboxAddHandler(Sandbox{}, "name", "script", "") },
	"hljs_sandbox_remove_handler":        func() *Error { return SandboxRemoveHandler(Sandbox{}, "name") },
	"hljs_sandbox_clear_handlers":        func() *Error { return SandboxClearHandlers(Sandbox{}) },
	"hljs_sandbox_add_module":            func() *Error { return SandboxAddModule(Sandbox{}, "name", "user", "script") },
	"hljs_sandbox_remove_module":         func() *Error { return SandboxRemoveModule(Sandbox{}, "name", "user") },
	"hljs_sandbox_clear_modules":         func() *Error { return SandboxClearModules(Sandbox{}) },
	"hljs_sandbox_status":                func() *Error { return discard(SandboxStatus(Sandbox{})) },
	"hljs_sandbox_generate_crashdump":    func() *Error { return SandboxGenerateCrashdump(Sandbox{}) },
	"hljs_sandbox_get_loaded_sandbox":    func() *Error { return discard(SandboxGetLoadedSandbox(Sandbox{})) },
	"hljs_loaded_sandbox_handle_event": func() *Error {
		return discard(LoadedSandboxHandleEvent(LoadedSandbox{}, "name", []byte("{}"), true))
	},
	"hljs_loaded_sandbox_status": func() *Error { return discard(LoadedSandboxStatus(LoadedSandbox{})) },
	"hljs_loaded_sandbox_generate_crashdump": func() *Error {
		return LoadedSandboxGenerateCrashdump(LoadedSandbox{})
	},
	"hljs_loaded_sandbox_unload": func() *Error { return discard(LoadedSandboxUnload(LoadedSandbox{})) },
}

// nullReads asks a missing error; the answer is nothing, whatever the type.
var nullReads = map[string]func() any{
	"hljs_error_code":       func() any { return errorCode(0) },
	"hljs_error_message":    func() any { return errorMessage(0) },
	"hljs_error_js_message": func() any { return errorJSMessage(0) },
	"hljs_error_js_stack":   func() any { return errorJSStack(0) },
	"hljs_error_guest_code": func() any { return errorGuestCode(0) },
}

var nullFrees = map[string]func(){
	"hljs_buffer_free":         func() { bufferFree(0, 0) },
	"hljs_error_free":          func() { errorFree(0) },
	"hljs_builder_free":        func() { BuilderFree(Builder{}) },
	"hljs_proto_sandbox_free":  func() { ProtoSandboxFree(ProtoSandbox{}) },
	"hljs_sandbox_free":        func() { SandboxFree(Sandbox{}) },
	"hljs_loaded_sandbox_free": func() { LoadedSandboxFree(LoadedSandbox{}) },
}

func TestNullIsAnInvalidArgument(t *testing.T) {
	loadLibrary(t)
	for name, call := range nullCalls {
		t.Run(name, func(t *testing.T) {
			parameter := prototypeNamed(t, name).params[0].name
			requireError(t, call(), CodeInvalidArgument, parameter+" is NULL")
		})
	}
}

func TestNullErrorIsEmpty(t *testing.T) {
	loadLibrary(t)
	for name, read := range nullReads {
		assert.Zero(t, read(), name)
	}
	// A failure without detail keeps its code.
	assert.Equal(t, &Error{Code: CodeBusy}, takeError(CodeBusy, 0))
}

func TestNullIsFreedByNoFunction(t *testing.T) {
	loadLibrary(t)
	for range 3 {
		for _, free := range nullFrees {
			free()
		}
	}
}

// A function that is new to the ABI must be added to one of the tables above.
func TestNullIsTriedEverywhere(t *testing.T) {
	var tried, expected []string
	for _, names := range [][]string{
		slices.Collect(maps.Keys(nullCalls)), slices.Collect(maps.Keys(nullReads)), slices.Collect(maps.Keys(nullFrees)),
	} {
		tried = append(tried, names...)
	}
	for _, p := range parseHeader(readFile(t, headerFile)).prototypes {
		if len(p.params) == 0 {
			continue
		}
		switch kind, _ := p.kind(0); kind {
		case "object", "given bytes":
			expected = append(expected, p.name)
		}
	}
	assert.ElementsMatch(t, expected, tried)
}

func prototypeNamed(t *testing.T, name string) prototype {
	t.Helper()
	prototypes := parseHeader(readFile(t, headerFile)).prototypes
	i := slices.IndexFunc(prototypes, func(p prototype) bool { return p.name == name })
	if i < 0 {
		t.Fatalf("the header lacks %s", name)
	}
	return prototypes[i]
}
