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
	"hljs_host_call_return_json":         func() *Error { return HostCallReturnJSON(HostCall{}, []byte("1"), nil) },
	"hljs_host_call_return_bytes":        func() *Error { return HostCallReturnBytes(HostCall{}, []byte("1")) },
	"hljs_host_call_fail":                func() *Error { return HostCallFail(HostCall{}, "text") },
	"hljs_file_give":                     func() *Error { return FileGive(File{}, []byte("x")) },
	"hljs_file_fail":                     func() *Error { return FileFail(File{}, "reason") },
	"hljs_proto_sandbox_register": func() *Error {
		return ProtoSandboxRegister(ProtoSandbox{}, "module", "name", nothing)
	},
	"hljs_proto_sandbox_set_module_loader": func() *Error {
		return ProtoSandboxSetModuleLoader(ProtoSandbox{}, noFiles{})
	},
	"hljs_proto_sandbox_load_runtime": func() *Error { return discard(ProtoSandboxLoadRuntime(ProtoSandbox{})) },
	"hljs_sandbox_add_handler":        func() *Error { return SandboxAddHandler(Sandbox{}, "name", "script", "") },
	"hljs_sandbox_remove_handler":     func() *Error { return SandboxRemoveHandler(Sandbox{}, "name") },
	"hljs_sandbox_clear_handlers":     func() *Error { return SandboxClearHandlers(Sandbox{}) },
	"hljs_sandbox_add_module":         func() *Error { return SandboxAddModule(Sandbox{}, "name", "user", "script") },
	"hljs_sandbox_remove_module":      func() *Error { return SandboxRemoveModule(Sandbox{}, "name", "user") },
	"hljs_sandbox_clear_modules":      func() *Error { return SandboxClearModules(Sandbox{}) },
	"hljs_sandbox_status":             func() *Error { return discard(SandboxStatus(Sandbox{})) },
	"hljs_sandbox_get_loaded_sandbox": func() *Error { return discard(SandboxGetLoadedSandbox(Sandbox{}, Context{}, nil)) },
	"hljs_loaded_sandbox_handle_event": func() *Error {
		return discard(LoadedSandboxHandleEvent(LoadedSandbox{}, "name", []byte("{}"), true, nil, Context{}, nil))
	},
	"hljs_loaded_sandbox_handle_events": func() *Error {
		return discard(LoadedSandboxHandleEvents(
			LoadedSandbox{}, "name", [][]byte{nil, []byte("1")}, true, true, nil, nil, Context{}, nil))
	},
	"hljs_context_cancel": func() *Error { return ContextCancel(Context{}) },
	"hljs_context_reset":  func() *Error { return ContextReset(Context{}) },
	"hljs_monitor_fire":   func() *Error { return MonitorFire(Monitor{}) },
	"hljs_monitor_reset":  func() *Error { return MonitorReset(Monitor{}) },
	"hljs_loaded_sandbox_last_call_stats": func() *Error {
		_, _, err := LoadedSandboxLastCallStats(LoadedSandbox{})
		return err
	},
	"hljs_loaded_sandbox_interrupt_handle": func() *Error {
		return discard(LoadedSandboxInterruptHandle(LoadedSandbox{}))
	},
	"hljs_interrupt_handle_kill":      func() *Error { return discard(InterruptHandleKill(InterruptHandle{})) },
	"hljs_interrupt_handle_dropped":   func() *Error { return discard(InterruptHandleDropped(InterruptHandle{})) },
	"hljs_loaded_sandbox_status":      func() *Error { return discard(LoadedSandboxStatus(LoadedSandbox{})) },
	"hljs_sandbox_generate_crashdump": func() *Error { return SandboxGenerateCrashdump(Sandbox{}) },
	"hljs_loaded_sandbox_generate_crashdump": func() *Error {
		return LoadedSandboxGenerateCrashdump(LoadedSandbox{})
	},
	"hljs_loaded_sandbox_unload":     func() *Error { return discard(LoadedSandboxUnload(LoadedSandbox{})) },
	"hljs_loaded_sandbox_get_config": func() *Error { return discard(LoadedSandboxGetConfig(LoadedSandbox{})) },
	"hljs_loaded_sandbox_snapshot":   func() *Error { return discard(LoadedSandboxSnapshot(LoadedSandbox{})) },
	"hljs_loaded_sandbox_restore":    func() *Error { return LoadedSandboxRestore(LoadedSandbox{}, Snapshot{}) },
	"hljs_snapshot_save":             func() *Error { return discard(SnapshotSave(Snapshot{}, "dir", "tag")) },
	"hljs_snapshot_get_config":       func() *Error { return discard(SnapshotGetConfig(Snapshot{})) },
	"hljs_snapshot_size":             func() *Error { return discard(SnapshotSize(Snapshot{})) },
}

// nullReads asks a missing object; the answer is nothing, whatever the type.
var nullReads = map[string]func() any{
	"hljs_error_code":                   func() any { return errorCode(0) },
	"hljs_error_message":                func() any { return errorMessage(0) },
	"hljs_error_js_message":             func() any { return errorJSMessage(0) },
	"hljs_error_js_stack":               func() any { return errorJSStack(0) },
	"hljs_error_js_thrown":              func() any { return errorJSThrown(0) },
	"hljs_error_guest_code":             func() any { return errorGuestCode(0) },
	"hljs_error_monitor":                func() any { return errorMonitor(0) },
	"hljs_monitor_name":                 func() any { return MonitorName(Monitor{}) },
	"hljs_loaded_sandbox_current_event": func() any { return LoadedSandboxCurrentEvent(LoadedSandbox{}) },
	"hljs_batch_results": func() any {
		results, errors, end := BatchResults(Batch{})
		return len(results) > 0 || len(errors) > 0 || end != nil
	},
	"hljs_batch_stats": func() any {
		stats, terminatedBy := BatchStats(Batch{})
		return stats != Stats{} || terminatedBy != ""
	},
}

var nullFrees = map[string]func(){
	"hljs_buffer_free":           func() { bufferFree(0, 0) },
	"hljs_error_free":            func() { errorFree(0) },
	"hljs_builder_free":          func() { BuilderFree(Builder{}) },
	"hljs_proto_sandbox_free":    func() { ProtoSandboxFree(ProtoSandbox{}) },
	"hljs_sandbox_free":          func() { SandboxFree(Sandbox{}) },
	"hljs_context_free":          func() { ContextFree(Context{}) },
	"hljs_monitor_free":          func() { MonitorFree(Monitor{}) },
	"hljs_interrupt_handle_free": func() { InterruptHandleFree(InterruptHandle{}) },
	"hljs_loaded_sandbox_free":   func() { LoadedSandboxFree(LoadedSandbox{}) },
	"hljs_batch_free":            func() { BatchFree(Batch{}) },
	"hljs_snapshot_free":         func() { SnapshotFree(Snapshot{}) },
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
