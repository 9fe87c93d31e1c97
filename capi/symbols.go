package capi

// symbols holds the address of every function of the ABI, in the order of the header. It is written
// once, by Load, before anything can call.
var symbols struct {
	hljs_abi_version                         uintptr
	hljs_version                             uintptr
	hljs_features                            uintptr
	hljs_runtime                             uintptr
	hljs_is_hypervisor_present               uintptr
	hljs_buffer_free                         uintptr
	hljs_error_code                          uintptr
	hljs_error_message                       uintptr
	hljs_error_js_message                    uintptr
	hljs_error_js_stack                      uintptr
	hljs_error_guest_code                    uintptr
	hljs_error_free                          uintptr
	hljs_builder_new                         uintptr
	hljs_builder_set_heap_size               uintptr
	hljs_builder_set_scratch_size            uintptr
	hljs_builder_set_input_buffer_size       uintptr
	hljs_builder_set_output_buffer_size      uintptr
	hljs_builder_set_interrupt_retry_delay   uintptr
	hljs_builder_set_interrupt_signal_offset uintptr
	hljs_builder_set_print                   uintptr
	hljs_builder_set_crashdump_enabled       uintptr
	hljs_builder_set_debugging_port          uintptr
	hljs_builder_get_config                  uintptr
	hljs_builder_build                       uintptr
	hljs_builder_free                        uintptr
	hljs_proto_sandbox_load_runtime          uintptr
	hljs_proto_sandbox_free                  uintptr
	hljs_sandbox_add_handler                 uintptr
	hljs_sandbox_remove_handler              uintptr
	hljs_sandbox_clear_handlers              uintptr
	hljs_sandbox_add_module                  uintptr
	hljs_sandbox_remove_module               uintptr
	hljs_sandbox_clear_modules               uintptr
	hljs_sandbox_status                      uintptr
	hljs_sandbox_generate_crashdump          uintptr
	hljs_sandbox_get_loaded_sandbox          uintptr
	hljs_sandbox_free                        uintptr
	hljs_loaded_sandbox_handle_event         uintptr
	hljs_loaded_sandbox_status               uintptr
	hljs_loaded_sandbox_generate_crashdump   uintptr
	hljs_loaded_sandbox_unload               uintptr
	hljs_loaded_sandbox_free                 uintptr
}
