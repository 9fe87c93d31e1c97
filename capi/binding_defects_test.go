package capi

import "slices"

// edit replaces text in a file, everywhere.
type edit struct{ file, old, new string }

func inHeader(old, new string) []edit { return []edit{{headerFile, old, new}} }

func inGo(file, old, new string) []edit { return []edit{{file, old, new}} }

// inBoth changes a prototype in the header and in the comment of a Go file.
func inBoth(file, old, new string) []edit {
	return []edit{{headerFile, old, new}, {file, old, new}}
}

// swapped exchanges two texts of a file.
func swapped(file, one, two string) []edit {
	const aside = "text put aside"
	return []edit{{file, one, aside}, {file, two, one}, {file, aside, two}}
}

// plantedDefects are what TestComparisonFindsPlantedDefects plants, and what a problem must say then.
var plantedDefects = slices.Concat(headerDefects, goDefects, callDefects)

type plantedDefect struct {
	name    string
	edits   []edit
	problem string
}

// The header changes, Go does not.
var headerDefects = []plantedDefect{
	{
		"an argument is dropped",
		inHeader("const hljs_sandbox *sandbox, hljs_status *status, hljs_error", "const hljs_sandbox *sandbox, hljs_error"),
		"the comment of hljs_sandbox_status in Go differs",
	},
	{
		"an argument is added",
		inHeader("hljs_sandbox_free(hljs_sandbox *sandbox)", "hljs_sandbox_free(hljs_sandbox *sandbox, uint32_t now)"),
		"the comment of hljs_sandbox_free in Go differs",
	},
	{
		"an argument grows",
		inHeader("uint16_t port,", "uint32_t port,"),
		"the comment of hljs_builder_set_debugging_port in Go differs",
	},
	{
		"an argument is renamed",
		inHeader("uint64_t nanoseconds,", "uint64_t milliseconds,"),
		"the comment of hljs_builder_set_interrupt_retry_delay in Go differs",
	},
	{
		"const is lost",
		inHeader("const uint8_t *event,", "uint8_t *event,"),
		"the comment of hljs_loaded_sandbox_handle_event in Go differs",
	},
	{
		"const is added",
		inHeader("uint8_t **result,", "const uint8_t **result,"),
		"the comment of hljs_loaded_sandbox_handle_event in Go differs",
	},
	{
		"two arguments change places",
		inHeader("(uint32_t *present, hljs_error **error)", "(hljs_error **error, uint32_t *present)"),
		"the comment of hljs_is_hypervisor_present in Go differs",
	},
	{
		"a result changes",
		inHeader("uint32_t hljs_error_guest_code(", "uint64_t hljs_error_guest_code("),
		"the comment of hljs_error_guest_code in Go differs",
	},
	{
		"a function is removed",
		inHeader("void hljs_builder_free(hljs_builder *builder);", ""),
		"the header lacks hljs_builder_free",
	},
	{
		"a function is added",
		inHeader("uint32_t hljs_abi_version(void);", "uint32_t hljs_abi_version(void);\nvoid hljs_new(void);"),
		"Go's functions lack hljs_new",
	},
	{
		"a function is added, and missing in symbols",
		inHeader("uint32_t hljs_abi_version(void);", "uint32_t hljs_abi_version(void);\nvoid hljs_new(void);"),
		"symbols lack hljs_new",
	},
	{
		"a foreign function is declared",
		inHeader("uint32_t hljs_abi_version(void);", "uint32_t hljs_abi_version(void);\nint helper(int x);"),
		"Go's functions lack helper",
	},
	{
		"a function is renamed",
		inHeader("hljs_features(", "hljs_feature_list("),
		"Go's functions lack hljs_feature_list",
	},
	{
		"two functions change places",
		swapped(headerFile, "hljs_version(", "hljs_features("),
		"have hljs_version where the header has hljs_features",
	},
	{
		"a code has another number",
		inHeader("HLJS_CODE_POISONED = 85", "HLJS_CODE_POISONED = 1085"),
		"HLJS_CODE_POISONED is 1085 in the header, but 85 in Go",
	},
	{
		"a code is removed",
		inHeader("HLJS_CODE_INVALID_JSON = 44,", ""),
		"the header lacks Go's CodeInvalidJSON",
	},
	{
		"a code is added",
		inHeader("HLJS_CODE_OK = 0,", "HLJS_CODE_OK = 0, HLJS_CODE_NEW = 1000,"),
		"HLJS_CODE_NEW is missing in Go",
	},
	{
		"a code has no number",
		inHeader("HLJS_CODE_BUSY = 3", "HLJS_CODE_BUSY"),
		"HLJS_CODE_BUSY is nothing in the header, but 3 in Go",
	},
	{
		"a status has another number",
		inHeader("HLJS_STATUS_CONSUMED = 3", "HLJS_STATUS_CONSUMED = 4"),
		"HLJS_STATUS_CONSUMED is 4 in the header, but 3 in Go",
	},
	{
		"a log level has another number",
		inHeader("HLJS_LOG_LEVEL_TRACE = 5", "HLJS_LOG_LEVEL_TRACE = 6"),
		"HLJS_LOG_LEVEL_TRACE is 6 in the header, but 5 in Go",
	},
	{
		"an enum is renamed",
		inHeader("enum hljs_status", "enum hljs_state"),
		"the header has no enum hljs_status",
	},
	{
		"the ABI version grows",
		inHeader("#define HLJS_ABI_VERSION ", "#define HLJS_ABI_VERSION 9"),
		"HLJS_ABI_VERSION is",
	},
	{
		"the ABI version is lost",
		inHeader("#define HLJS_ABI_VERSION", "#define ABI_VERSION"),
		"HLJS_ABI_VERSION is nothing in the header",
	},
}

// Names, comments, order and constants change in Go.
var goDefects = []plantedDefect{
	{
		"a comment is altered",
		inGo("sandbox.go", "const uint8_t *script,", "uint8_t *script,"),
		"the comment of hljs_sandbox_add_handler in Go differs",
	},
	{
		"a comment is lost",
		inGo("buffer.go", "// void hljs_buffer_free(uint8_t *data, size_t len);\n", ""),
		"Go's functions lack hljs_buffer_free",
	},
	{
		"a prototype is not the last line",
		inGo("sandbox.go", "void hljs_sandbox_free(hljs_sandbox *sandbox);", "void hljs_sandbox_free(hljs_sandbox *sandbox);\n// So it is."),
		"Go's functions lack hljs_sandbox_free",
	},
	{
		"a comment holds two prototypes",
		inGo("buffer.go", "// void hljs_buffer_free", "// void hljs_old(void);\n// void hljs_buffer_free"),
		"belongs to no single function: buffer.go:3:1: void hljs_old",
	},
	{
		"a prototype stands above no function",
		inGo("objects.go", "package capi", "package capi\n\n// void hljs_ghost(void);\n"),
		"belongs to no single function: objects.go:3:1: void hljs_ghost",
	},
	{
		"two functions claim one prototype",
		inGo("buffer.go", "package capi", "package capi\n\n// void hljs_buffer_free(uint8_t *data, size_t len);\nfunc again(){}\n"),
		"Go's functions have hljs_buffer_free twice",
	},
	{
		"a function is bound in the wrong file",
		inGo("objects.go", "package capi", "package capi\n\n// void hljs_buffer_free(uint8_t *data, size_t len);\nfunc again(){}\n"),
		"hljs_buffer_free is bound in objects.go",
	},
	{
		"a function is removed",
		inGo("builder.go", "func BuilderFree(b Builder) { free(b.ptr, symbols.hljs_builder_free) }", ""),
		"Go's functions lack hljs_builder_free",
	},
	{
		"a file is no Go",
		inGo("version.go", "func Features()", "type ("),
		"version.go:",
	},
	{
		"two functions change places",
		swapped("error.go", "hljs_error_js_message", "hljs_error_js_stack"),
		"Go's functions have hljs_error_js_stack where the header has hljs_error_js_message",
	},
	{
		"two symbols change places",
		swapped("symbols.go", "hljs_version ", "hljs_features "),
		"symbols have hljs_features where the header has hljs_version",
	},
	{
		"a symbol is missing",
		inGo("symbols.go", "hljs_builder_build ", "// "),
		"symbols lack hljs_builder_build",
	},
	{
		"a symbol is superfluous",
		inGo("symbols.go", "hljs_builder_build ", "hljs_builder_test, hljs_builder_build "),
		"the header lacks hljs_builder_test, which is in symbols",
	},
	{
		"a symbol is no address",
		inGo("symbols.go", "hljs_builder_build ", "hljs_builder_build uint32 // "),
		"symbols.hljs_builder_build is a uint32",
	},
	{
		"a code has another number",
		inGo("code.go", "CodeOutOfMemory        Code = 82", "CodeOutOfMemory Code = 83"),
		"HLJS_CODE_OUT_OF_MEMORY is 82 in the header, but 83 in Go",
	},
	{
		"a code is missing",
		inGo("code.go", "CodeNoValue            Code = 61", ""),
		"HLJS_CODE_NO_VALUE is missing in Go",
	},
	{
		"a code is superfluous",
		inGo("code.go", "CodeNoValue            Code = 61", "CodeNoValue Code = 61; CodeExtra Code = 63"),
		"the header lacks Go's CodeExtra",
	},
	{
		"a status is missing",
		inGo("code.go", "StatusPoisoned      Status = 1", ""),
		"HLJS_STATUS_POISONED is missing in Go",
	},
	{
		"a kind of file has another number",
		inGo("code.go", "FileKindFolder  FileKind = 2", "FileKindFolder FileKind = 3"),
		"HLJS_FILE_KIND_FOLDER is 2 in the header, but 3 in Go",
	},
	{
		"the ABI version shrinks",
		inGo("code.go", "const ABIVersion = ", "const ABIVersion = -"),
		"ABIVersion is -",
	},
}

// Prototypes agree, but Go passes something else.
var callDefects = []plantedDefect{
	{
		"the wrong symbol",
		inGo("builder.go", "builderSet(b, symbols.hljs_builder_set_heap_size,", "builderSet(b, symbols.hljs_builder_set_scratch_size,"),
		"hljs_builder_set_heap_size: Go calls symbols.hljs_builder_set_scratch_size",
	},
	{
		"the wrong symbol in a helper's argument",
		inGo("sandbox.go", "free(s.ptr, symbols.hljs_sandbox_free)", "free(s.ptr, symbols.hljs_builder_free)"),
		"hljs_sandbox_free: Go calls symbols.hljs_builder_free",
	},
	{
		"an argument fewer",
		inGo("loaded_sandbox.go", "\tf.flag(gc)\n", ""),
		"hljs_loaded_sandbox_handle_event: C takes 12 arguments, Go passes 11",
	},
	{
		"an argument more",
		inGo("loaded_sandbox.go", "\tf.flag(gc)\n", "\tf.flag(gc)\n\tf.flag(gc)\n"),
		"hljs_loaded_sandbox_handle_event: C takes 12 arguments, Go passes 13",
	},
	{
		"an argument fewer in a helper",
		inGo("sandbox.go", "\tf.outStatus()\n", ""),
		"hljs_loaded_sandbox_status: C takes 3 arguments, Go passes 2",
	},
	{
		"an argument more in C",
		inBoth("loaded_sandbox.go", "uint32_t gc,", "uint32_t gc, uint32_t trace,"),
		"hljs_loaded_sandbox_handle_event: C takes 13 arguments, Go passes 12",
	},
	{
		"two texts change places",
		inGo("sandbox.go", "f.text(name)\n\tf.text(script)", "f.text(script)\n\tf.text(name)"),
		"hljs_sandbox_add_handler: argument 2 must be bytes of name, Go passes bytes of script",
	},
	{
		"another text's length",
		inGo("frame.go", "len(s)", "len(other)"),
		"argument 3 must be length of name, Go passes length of other",
	},
	{
		"pointer and length change places",
		inGo("frame.go", "f.pointer(start)\n\tf.uint(uintptr(length))", "f.uint(uintptr(length))\n\tf.pointer(start)"),
		"hljs_sandbox_remove_handler: argument 2 must be bytes of name, Go passes length of name",
	},
	{
		"object and input change places",
		inGo("builder.go", "f.uint(b.ptr)\n\tf.uint(uintptr(value))", "f.uint(uintptr(value))\n\tf.uint(b.ptr)"),
		"hljs_builder_set_heap_size: argument 1 must be object hljs_builder, Go passes uint64 bytes",
	},
	{
		"another object",
		inGo("sandbox.go", "func SandboxFree(s Sandbox)", "func SandboxFree(s ProtoSandbox)"),
		"hljs_sandbox_free: argument 1 must be object hljs_sandbox, Go passes object hljs_proto_sandbox",
	},
	{
		"an integer too wide in Go",
		inGo("builder.go", "offset uint8)", "offset uint16)"),
		"hljs_builder_set_interrupt_signal_offset: argument 2 must be uint8 offset, Go passes uint16 offset",
	},
	{
		"an integer too wide in C",
		inBoth("builder.go", "uint32_t enabled,", "uint64_t enabled,"),
		"hljs_builder_set_crashdump_enabled: argument 2 must be uint64 enabled, Go passes uint32 enabled",
	},
	{
		"two callbacks change places",
		swapped("builder.go", "callbacks.print", "callbacks.drop"),
		"hljs_builder_set_print: argument 2 must be callback print, Go passes callback drop",
	},
	{
		"two callbacks of a tree change places",
		swapped("proto_sandbox.go", "callbacks.stat", "callbacks.read"),
		"hljs_proto_sandbox_set_module_loader: argument 2 must be callback stat, Go passes callback read",
	},
	{
		"two numbers change places",
		swapped("logs.go", "f.uint(uintptr(level))\n\tf.flag(spans)", "f.uint(uintptr(capacity))"),
		"hljs_logs_start: argument 1 must be uint32 level, Go passes uint32 capacity",
	},
	{
		"another callback",
		inGo("proto_sandbox.go", "callbacks.function", "callbacks.print"),
		"hljs_proto_sandbox_register: argument 6 must be callback function, Go passes callback print",
	},
	{
		"bytes and blobs change places",
		inGo("host_call.go", "f.bytes(json)\n\tf.bytes(blobs)", "f.bytes(blobs)\n\tf.bytes(json)"),
		"hljs_host_call_return_json: argument 2 must be bytes of json, Go passes bytes of blobs",
	},
	{
		"a call that is none",
		inGo("host_call.go", "func HostCallFail(call HostCall,", "func HostCallFail(call Sandbox,"),
		"hljs_host_call_fail: argument 1 must be object hljs_host_call, Go passes object hljs_sandbox",
	},
	{
		"user data is no key",
		inGo("builder.go", "functions.add(print)", "uintptr(unsafe.Pointer(&print))"),
		"hljs_builder_set_print: argument 3 must be key of a function",
	},
	{
		"the wrong output",
		inGo("version.go", "f.outNumber()", "f.outStatus()"),
		"hljs_is_hypervisor_present: argument 1 must be address of number uint32, Go passes address of status uint32",
	},
	{
		"an output too small",
		inGo("frame.go", "status  uint32", "status  uint8"),
		"hljs_sandbox_status: argument 2 must be address of status uint32, Go passes address of status uint8",
	},
	{
		"a size too small",
		inGo("frame.go", "size    uint64", "size    uint32"),
		"hljs_snapshot_size: argument 2 must be address of size uint64, Go passes address of size uint32",
	},
	{
		"outputs change places",
		swapped("frame.go", "f.config.HeapSize", "f.config.ScratchSize"),
		"hljs_builder_get_config: argument 2 must be address of config.HeapSize uint64, Go passes address of config.ScratchSize uint64",
	},
	{
		"an output of another width",
		inGo("objects.go", "InterruptSignalOffset             uint8", "InterruptSignalOffset uint64"),
		"hljs_builder_get_config: argument 7 must be address of config.InterruptSignalOffset uint8",
	},
	{
		"statistics change places",
		swapped("frame.go", "f.stats.WallClock", "f.stats.CPUTime"),
		"hljs_loaded_sandbox_last_call_stats: argument 3 must be address of stats.WallClock uint64, Go passes address of stats.CPUTime uint64",
	},
	{
		"a list of other objects",
		[]edit{{"frame.go", "list []Monitor", "list []Sandbox"}},
		"hljs_loaded_sandbox_handle_event: argument 7 must be list of hljs_monitor monitors, Go passes list of hljs_sandbox monitors",
	},
	{
		"a list in C becomes an object",
		inBoth("loaded_sandbox.go", "const hljs_monitor *const *monitors", "const hljs_monitor *monitors"),
		"hljs_loaded_sandbox_handle_event: argument 7 must be object hljs_monitor",
	},
	{
		"starts and lengths of texts change places",
		swapped("frame.go", "unsafe.SliceData(starts(texts))", "unsafe.SliceData(lengths(texts))"),
		"hljs_loaded_sandbox_handle_events: argument 4 must be starts of events, Go passes lengths of events",
	},
	{
		"texts without their number",
		inGo("frame.go", "\tf.uint(uintptr(len(texts)))\n", ""),
		"hljs_loaded_sandbox_handle_events: C takes 15 arguments, Go passes 14",
	},
	{
		"a list of texts becomes a text",
		inBoth("loaded_sandbox.go", "const uint8_t *const *events", "const uint8_t *events"),
		"hljs_loaded_sandbox_handle_events: argument 4 must be bytes of events, Go passes starts of events",
	},
	{
		"two lists of objects change places",
		inGo("loaded_sandbox.go", "f.objects(monitors)\n\tf.objects(batchMonitors)", "f.objects(batchMonitors)\n\tf.objects(monitors)"),
		"hljs_loaded_sandbox_handle_events: argument 9 must be list of hljs_monitor monitors, Go passes list of hljs_monitor batchMonitors",
	},
	{
		"two flags change places",
		inGo("loaded_sandbox.go", "f.flag(gc)\n\tf.flag(stopOnError)", "f.flag(stopOnError)\n\tf.flag(gc)"),
		"hljs_loaded_sandbox_handle_events: argument 7 must be uint32 gc, Go passes uint32 stopOnError",
	},
	{
		"two lists that are given change places",
		swapped("frame.go", "unsafe.Pointer(&f.lengths)", "unsafe.Pointer(&f.errors)"),
		"hljs_batch_results: argument 4 must be address of lengths unsafe.Pointer, Go passes address of errors unsafe.Pointer",
	},
	{
		"the number of results is taken for their length",
		inGo("frame.go", "unsafe.Pointer(&f.count)", "unsafe.Pointer(&f.dataLen)"),
		"hljs_batch_results: argument 6 must be address of count uintptr, Go passes address of dataLen uintptr",
	},
	{
		"a lent error becomes one that is given",
		inBoth("batch.go", "const hljs_error **end", "hljs_error **end"),
		"hljs_batch_results: its last parameter is an error: true; Go calls frame.fallible: false",
	},
	{
		"lent errors are not taken",
		inGo("batch.go", "f.lentErrors()", "[]*Error(nil), (*Error)(nil)"),
		"hljs_batch_results: Go does not take errors with frame.lentErrors",
	},
	{
		"lent results are freed",
		inGo("batch.go", "f.lentTexts()", "[][]byte{f.given()}"),
		"hljs_batch_results: Go does not take results with frame.lentTexts",
	},
	{
		"results without their errors",
		inGo("batch.go", "([][]byte, []*Error, *Error)", "([][]byte, *Error)"),
		"hljs_batch_results: the Go function must return ([][]byte, []*Error, *Error), not ([][]byte, *Error)",
	},
	{
		"output and error change places",
		inGo("frame.go", "unsafe.Pointer(&f.err)", "unsafe.Pointer(&f.object)"),
		"hljs_builder_new: argument 2 must be address of err uintptr, Go passes address of object uintptr",
	},
	{
		"the error is not passed",
		inGo("sandbox.go", "f.fallible(symbols.hljs_sandbox_clear_handlers)", "f.call(symbols.hljs_sandbox_clear_handlers)"),
		"hljs_sandbox_clear_handlers: C takes 2 arguments, Go passes 1",
	},
	{
		"an error too many",
		inGo("version.go", "f.call(symbols.hljs_features)", "f.fallible(symbols.hljs_features)"),
		"hljs_features: its last parameter is an error: false; Go calls frame.fallible: true",
	},
	{
		"an error without a code",
		inBoth("proto_sandbox.go", "hljs_code hljs_proto_sandbox_load_runtime", "void hljs_proto_sandbox_load_runtime"),
		"hljs_proto_sandbox_load_runtime: a function returns hljs_code if, and only if",
	},
	{
		"a code without an error",
		inBoth("buffer.go", "void hljs_buffer_free", "hljs_code hljs_buffer_free"),
		"hljs_buffer_free: a function returns hljs_code if, and only if",
	},
	{
		"given bytes are not freed",
		inGo("loaded_sandbox.go", "f.given()", "[]byte(f.lent())"),
		"hljs_loaded_sandbox_handle_event: Go does not take result with frame.given",
	},
	{
		"lent text is freed",
		inGo("error.go", "f.lent()", "string(f.given())"),
		"hljs_error_message: Go does not take text with frame.lent",
	},
	{
		"a given buffer becomes a lent one",
		inBoth("loaded_sandbox.go", "uint8_t **result,", "const uint8_t **result,"),
		"hljs_loaded_sandbox_handle_event: the Go function must return (string, *Error), not ([]byte, *Error)",
	},
	{
		"another result",
		inGo("sandbox.go", "func SandboxStatus(s Sandbox) (Status, *Error)", "func SandboxStatus(s Sandbox) (Code, *Error)"),
		"hljs_sandbox_status: the Go function must return (Status, *Error), not (Code, *Error)",
	},
	{
		"no call",
		inGo("buffer.go", "f.call(symbols.hljs_buffer_free)", ""),
		"hljs_buffer_free: Go makes 0 native calls",
	},
	{
		"two calls",
		inGo("buffer.go", "f.call(symbols.hljs_buffer_free)", "f.call(symbols.hljs_buffer_free)\n\tf.call(symbols.hljs_buffer_free)"),
		"hljs_buffer_free: Go makes 2 native calls",
	},
	{
		"a type that is new to the ABI",
		inBoth("builder.go", "uint16_t port,", "double port,"),
		"hljs_builder_set_debugging_port: this test does not know parameters like double port",
	},
}
