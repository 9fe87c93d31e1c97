// The conventions, as far as they can be seen without a guest.

#include "parts.h"

#include <string.h>

static const char builder_consumed[] = "the builder has already been consumed";

static void versions(void) {
    const uint8_t *text = NULL;
    size_t len = 0;
    CHECK(hljs_abi_version() == HLJS_ABI_VERSION);
    hljs_version(&text, &len);
    CHECK(text != NULL && len > 0);
    hljs_version(NULL, &len);
    hljs_version(&text, NULL);
    hljs_version(NULL, NULL);
    hljs_features(&text, &len);
    CHECK((text == NULL) == (len == 0));
    hljs_features(NULL, NULL);
    hljs_runtime(&text, &len);
    CHECK(text != NULL && len > 0);
    hljs_runtime(NULL, NULL);
}

uint32_t hypervisor_present(void) {
    uint32_t present = 7;
    FAILS(hljs_is_hypervisor_present(NULL, &error), HLJS_CODE_INVALID_ARGUMENT, "present is NULL");
    SUCCEEDS(hljs_is_hypervisor_present(&present, &error));
    CHECK(present == 0 || present == 1);
    CHECK(hljs_is_hypervisor_present(&present, NULL) == HLJS_CODE_OK);
    return present;
}

static void no_error(void) {
    const uint8_t *text = (const uint8_t *)untouched();
    size_t len = 7;
    CHECK(hljs_error_code(NULL) == HLJS_CODE_OK);
    CHECK(hljs_error_guest_code(NULL) == 0);
    hljs_error_message(NULL, &text, &len);
    CHECK(text == NULL && len == 0);
    len = 7;
    hljs_error_js_message(NULL, &text, &len);
    CHECK(text == NULL && len == 0);
    len = 7;
    hljs_error_js_stack(NULL, &text, &len);
    CHECK(text == NULL && len == 0);
    hljs_error_message(NULL, NULL, NULL);
}

static void an_error(void) {
    hljs_error *error = NULL;
    const uint8_t *text = NULL, *again = NULL;
    size_t len = 0;
    // A caller may want the code alone.
    CHECK(hljs_builder_new(NULL, NULL) == HLJS_CODE_INVALID_ARGUMENT);
    CHECK(hljs_builder_new(NULL, &error) == HLJS_CODE_INVALID_ARGUMENT);
    CHECK(hljs_error_code(error) == HLJS_CODE_INVALID_ARGUMENT);
    CHECK(hljs_error_guest_code(error) == 0);
    hljs_error_message(error, &text, &len);
    CHECK(same_text(text, len, "builder is NULL"));
    hljs_error_message(error, &again, NULL);
    CHECK(again == text); // Borrowed, not made anew.
    hljs_error_message(error, NULL, &len);
    hljs_error_js_message(error, &text, &len);
    CHECK(text == NULL && len == 0);
    hljs_error_js_stack(error, &text, &len);
    CHECK(text == NULL && len == 0);
    hljs_error_free(error);
}

static void free_nothing(void) {
    hljs_buffer_free(NULL, 0);
    hljs_error_free(NULL);
    hljs_builder_free(NULL);
    hljs_proto_sandbox_free(NULL);
    hljs_sandbox_free(NULL);
    hljs_loaded_sandbox_free(NULL);
}

static void null_builder(void) {
    hljs_proto_sandbox *proto = (hljs_proto_sandbox *)untouched();
    uint64_t number = 7;
    uint8_t offset = 7;
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    const char *message = "builder is NULL";
    FAILS(hljs_builder_set_heap_size(NULL, 8 << 20, &error), invalid, message);
    FAILS(hljs_builder_set_scratch_size(NULL, 8 << 20, &error), invalid, message);
    FAILS(hljs_builder_set_input_buffer_size(NULL, 1 << 20, &error), invalid, message);
    FAILS(hljs_builder_set_output_buffer_size(NULL, 1 << 20, &error), invalid, message);
    FAILS(hljs_builder_set_interrupt_retry_delay(NULL, 1, &error), invalid, message);
    FAILS(hljs_builder_set_interrupt_signal_offset(NULL, 1, &error), invalid, message);
    FAILS(hljs_builder_set_crashdump_enabled(NULL, 1, &error), invalid, message);
    FAILS(hljs_builder_set_debugging_port(NULL, 1, &error), invalid, message);
    FAILS(hljs_builder_get_config(NULL, &number, &number, &number, &number, &number, &offset, &error), invalid,
          message);
    CHECK(number == 7 && offset == 7);
    FAILS(hljs_builder_build(NULL, &proto, &error), invalid, message);
    CHECK(proto == untouched());
    FAILS(hljs_builder_build(NULL, NULL, &error), invalid, "sandbox is NULL");
}

static void null_sandboxes(void) {
    hljs_sandbox *sandbox = (hljs_sandbox *)untouched();
    hljs_loaded_sandbox *loaded = (hljs_loaded_sandbox *)untouched();
    uint8_t *result = (uint8_t *)untouched();
    size_t len = 7;
    hljs_status status = (hljs_status)77;
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    FAILS(hljs_proto_sandbox_load_runtime(NULL, &sandbox, &error), invalid, "proto is NULL");
    FAILS(hljs_proto_sandbox_load_runtime(NULL, NULL, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_add_handler(NULL, BYTES("name"), BYTES("script"), NULL, 0, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_remove_handler(NULL, BYTES("name"), &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_clear_handlers(NULL, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_add_module(NULL, BYTES("name"), BYTES("user"), BYTES("script"), &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_add_module(NULL, BYTES("na:me"), BYTES("user"), BYTES("script"), &error), invalid,
          "Module name must not contain ':'");
    FAILS(hljs_sandbox_remove_module(NULL, BYTES("name"), BYTES("host"), &error), invalid,
          "Module namespace 'host' is reserved");
    FAILS(hljs_validate_module_name(NULL, 0, NULL, 0, &error), invalid, "Module name must not be empty");
    FAILS(hljs_sandbox_clear_modules(NULL, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_status(NULL, &status, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_status(NULL, NULL, &error), invalid, "status is NULL");
    FAILS(hljs_sandbox_generate_crashdump(NULL, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_get_loaded_sandbox(NULL, NULL, &loaded, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_get_loaded_sandbox(NULL, NULL, NULL, &error), invalid, "loaded is NULL");
    FAILS(hljs_loaded_sandbox_handle_event(NULL, BYTES("name"), BYTES("{}"), 1, NULL, 0, NULL, &result, &len, &error), invalid,
          "loaded is NULL");
    FAILS(hljs_loaded_sandbox_handle_event(NULL, BYTES("name"), BYTES("{}"), 1, NULL, 0, NULL, NULL, &len, &error), invalid,
          "result is NULL");
    FAILS(hljs_loaded_sandbox_handle_event(NULL, BYTES("name"), BYTES("{}"), 1, NULL, 0, NULL, &result, NULL, &error), invalid,
          "result_len is NULL");
    FAILS(hljs_loaded_sandbox_status(NULL, &status, &error), invalid, "loaded is NULL");
    FAILS(hljs_loaded_sandbox_status(NULL, NULL, &error), invalid, "status is NULL");
    FAILS(hljs_loaded_sandbox_generate_crashdump(NULL, &error), invalid, "loaded is NULL");
    FAILS(hljs_loaded_sandbox_unload(NULL, &sandbox, &error), invalid, "loaded is NULL");
    FAILS(hljs_loaded_sandbox_unload(NULL, NULL, &error), invalid, "sandbox is NULL");
    CHECK(sandbox == untouched() && loaded == untouched() && result == untouched());
    CHECK(len == 7 && status == (hljs_status)77);
}

// Text is checked before the object, so what gets through to the object is good.
static void text(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    const uint8_t *something = (const uint8_t *)"text";
    FAILS(hljs_sandbox_add_handler(NULL, NULL, 0, NULL, 0, NULL, 0, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_remove_handler(NULL, NULL, 0, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_remove_handler(NULL, something, 0, &error), invalid, "sandbox is NULL");
    FAILS(hljs_sandbox_remove_handler(NULL, NULL, 5, &error), invalid,
          "the handler name is NULL, but its length is 5");
    FAILS(hljs_sandbox_remove_handler(NULL, something, SIZE_MAX, &error), invalid,
          "the length of the handler name is 18446744073709551615, more than any memory can hold");
    FAILS(hljs_sandbox_add_handler(NULL, BYTES("name"), NULL, 1, NULL, 0, &error), invalid,
          "the script is NULL, but its length is 1");
    FAILS(hljs_sandbox_add_handler(NULL, BYTES("na\0me"), BYTES("script"), NULL, 0, &error), invalid,
          "the handler name contains a NUL byte at offset 2");
    FAILS(hljs_sandbox_add_handler(NULL, BYTES("name"), BYTES("script\xff"), NULL, 0, &error), invalid,
          "the script is not UTF-8: invalid byte at offset 6");
}

static void more_text(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    uint8_t *result = (uint8_t *)untouched();
    size_t len = 7;
    FAILS(hljs_sandbox_add_handler(NULL, BYTES("name"), BYTES("script"), BYTES("a\0"), &error), invalid,
          "the base path contains a NUL byte at offset 1");
    FAILS(hljs_sandbox_add_handler(NULL, BYTES("name"), BYTES("script"), NULL, 1, &error), invalid,
          "the base path is NULL, but its length is 1");
    FAILS(hljs_sandbox_add_module(NULL, NULL, 1, BYTES("user"), BYTES("script"), &error), invalid, NULL);
    FAILS(hljs_sandbox_add_module(NULL, BYTES("name"), NULL, 1, BYTES("script"), &error), invalid, NULL);
    FAILS(hljs_sandbox_add_module(NULL, BYTES("name"), BYTES("user"), NULL, 1, &error), invalid,
          "the script is NULL, but its length is 1");
    FAILS(hljs_sandbox_add_module(NULL, BYTES("name"), BYTES("us\xff"), BYTES("script"), &error), invalid, NULL);
    FAILS(hljs_sandbox_remove_module(NULL, BYTES("\xff"), BYTES("user"), &error), invalid, NULL);
    FAILS(hljs_sandbox_remove_module(NULL, BYTES("name"), (const uint8_t *)"", SIZE_MAX, &error), invalid, NULL);
    FAILS(hljs_loaded_sandbox_handle_event(NULL, BYTES("a\0"), BYTES("{}"), 1, NULL, 0, NULL, &result, &len, &error), invalid,
          "the handler name contains a NUL byte at offset 1");
    FAILS(hljs_loaded_sandbox_handle_event(NULL, BYTES("name"), BYTES("\xff"), 1, NULL, 0, NULL, &result, &len, &error), invalid,
          "the event is not UTF-8: invalid byte at offset 0");
    FAILS(hljs_loaded_sandbox_handle_event(NULL, BYTES("name"), NULL, 1, 1, NULL, 0, NULL, &result, &len, &error), invalid,
          "the event is NULL, but its length is 1");
    CHECK(result == untouched() && len == 7);
}

static void builder_options(void) {
    hljs_builder *builder = NULL;
    uint64_t heap = 0, scratch = 0, input = 0, output = 0, delay = 0;
    uint8_t offset = 7;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    SUCCEEDS(hljs_builder_get_config(builder, &heap, &scratch, &input, &output, &delay, &offset, &error));
    CHECK(heap == 4 << 20 && scratch == 1 << 20);
    CHECK(input == 16 << 10 && output == 16 << 10);
    CHECK(delay == 500000 && offset == 0);

    SUCCEEDS(hljs_builder_set_heap_size(builder, 5 << 20, &error));
    SUCCEEDS(hljs_builder_set_scratch_size(builder, 6 << 20, &error));
    SUCCEEDS(hljs_builder_set_input_buffer_size(builder, 7 << 10 << 10, &error));
    SUCCEEDS(hljs_builder_set_output_buffer_size(builder, 9 << 10, &error));
    SUCCEEDS(hljs_builder_set_interrupt_retry_delay(builder, UINT64_MAX, &error));
    SUCCEEDS(hljs_builder_set_interrupt_signal_offset(builder, 2, &error));
    FAILS(hljs_builder_set_scratch_size(builder, 1, &error), HLJS_CODE_MEMORY_TOO_SMALL, NULL);
    FAILS(hljs_builder_set_input_buffer_size(builder, 1, &error), HLJS_CODE_MEMORY_TOO_SMALL, NULL);
    FAILS(hljs_builder_set_output_buffer_size(builder, 1, &error), HLJS_CODE_MEMORY_TOO_SMALL, NULL);
    CHECK(hljs_builder_set_heap_size(builder, 0, NULL) == HLJS_CODE_MEMORY_TOO_SMALL);
    FAILS(hljs_builder_set_heap_size(builder, 1, &error), HLJS_CODE_MEMORY_TOO_SMALL,
          "heap size is 1 bytes, below the minimum of 4194304");
    FAILS(hljs_builder_set_interrupt_signal_offset(builder, 200, &error), HLJS_CODE_INVALID_ARGUMENT,
          "Invalid SIGRTMIN offset: 200. It exceeds the maximum real-time signal number.");
    CHECK(hljs_builder_set_crashdump_enabled(builder, 1, NULL) == code_of_feature("crashdump"));
    CHECK(hljs_builder_set_debugging_port(builder, 9999, NULL) == code_of_feature("gdb"));

    // Each output may be NULL.
    SUCCEEDS(hljs_builder_get_config(builder, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    SUCCEEDS(hljs_builder_get_config(builder, &heap, NULL, &input, NULL, &delay, NULL, &error));
    SUCCEEDS(hljs_builder_get_config(builder, NULL, &scratch, NULL, &output, NULL, &offset, &error));
    CHECK(heap == 5 << 20 && scratch == 6 << 20);
    CHECK(input == 7 << 20 && output == 9 << 10);
    CHECK(delay == UINT64_MAX && offset == 2);
    hljs_builder_free(builder);
}

static void ignore_text(void *user_data, const uint8_t *text, size_t len) {
    (void)user_data, (void)text, (void)len;
}

// A drop function runs exactly once, also when the call fails.
static void user_data(void) {
    hljs_builder *builder = NULL;
    int first = 0, second = 0, refused = 0;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    FAILS(hljs_builder_set_print(builder, NULL, &refused, count_drop, &error), HLJS_CODE_INVALID_ARGUMENT,
          "print is NULL");
    CHECK(refused == 1);
    FAILS(hljs_builder_set_print(NULL, ignore_text, &refused, count_drop, &error), HLJS_CODE_INVALID_ARGUMENT,
          "builder is NULL");
    CHECK(refused == 2);
    SUCCEEDS(hljs_builder_set_print(builder, ignore_text, &first, count_drop, &error));
    CHECK(first == 0);
    SUCCEEDS(hljs_builder_set_print(builder, ignore_text, &second, count_drop, &error));
    CHECK(first == 1 && second == 0);
    SUCCEEDS(hljs_builder_set_print(builder, ignore_text, NULL, NULL, &error));
    CHECK(second == 1);
    SUCCEEDS(hljs_builder_set_print(builder, ignore_text, &second, count_drop, &error));
    hljs_builder_free(builder);
    CHECK(first == 1 && second == 2 && refused == 2);
}

static void check_consumed(hljs_builder *builder) {
    hljs_proto_sandbox *proto = (hljs_proto_sandbox *)untouched();
    uint64_t heap = 7;
    int drops = 0;
    FAILS(hljs_builder_build(builder, &proto, &error), HLJS_CODE_CONSUMED, builder_consumed);
    CHECK(proto == untouched());
    FAILS(hljs_builder_get_config(builder, &heap, NULL, NULL, NULL, NULL, NULL, &error), HLJS_CODE_CONSUMED,
          builder_consumed);
    CHECK(heap == 7);
    FAILS(hljs_builder_set_heap_size(builder, 8 << 20, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_scratch_size(builder, 8 << 20, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_input_buffer_size(builder, 1 << 20, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_output_buffer_size(builder, 1 << 20, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_interrupt_retry_delay(builder, 1, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_interrupt_signal_offset(builder, 1, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_crashdump_enabled(builder, 1, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_debugging_port(builder, 1, &error), HLJS_CODE_CONSUMED, builder_consumed);
    FAILS(hljs_builder_set_print(builder, ignore_text, &drops, count_drop, &error), HLJS_CODE_CONSUMED,
          builder_consumed);
    CHECK(drops == 1);
}

static void build(uint32_t present) {
    hljs_builder *builder = NULL;
    hljs_proto_sandbox *proto = (hljs_proto_sandbox *)untouched();
    int drops = 0;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    SUCCEEDS(hljs_builder_set_print(builder, ignore_text, &drops, count_drop, &error));
    // A bad argument consumes nothing.
    FAILS(hljs_builder_build(builder, NULL, &error), HLJS_CODE_INVALID_ARGUMENT, "sandbox is NULL");
    SUCCEEDS(hljs_builder_set_heap_size(builder, 4 << 20, &error));
    if (present) {
        SUCCEEDS(hljs_builder_build(builder, &proto, &error));
        CHECK(proto != NULL && proto != untouched());
    } else {
        FAILS(hljs_builder_build(builder, &proto, &error), HLJS_CODE_NO_HYPERVISOR, NULL);
        CHECK(proto == untouched());
        proto = NULL;
    }
    check_consumed(builder);
    hljs_builder_free(builder);
    CHECK(drops == (present ? 0 : 1)); // The proto sandbox has the user data now.
    FAILS(hljs_proto_sandbox_load_runtime(proto, NULL, &error), HLJS_CODE_INVALID_ARGUMENT, "sandbox is NULL");
    hljs_proto_sandbox_free(proto);
    CHECK(drops == 1);
}

// What is too big is refused by the build, and by no other option meanwhile.
static void too_big(void) {
    hljs_builder *builder = NULL;
    hljs_proto_sandbox *proto = (hljs_proto_sandbox *)untouched();
    SUCCEEDS(hljs_builder_new(&builder, &error));
    SUCCEEDS(hljs_builder_set_heap_size(builder, UINT64_MAX, &error));
    SUCCEEDS(hljs_builder_set_scratch_size(builder, 1ull << 62, &error));
    SUCCEEDS(hljs_builder_set_input_buffer_size(builder, UINT64_MAX, &error));
    SUCCEEDS(hljs_builder_set_output_buffer_size(builder, UINT64_MAX, &error));
    SUCCEEDS(hljs_builder_set_interrupt_signal_offset(builder, 1, &error));
    FAILS(hljs_builder_build(builder, &proto, &error), HLJS_CODE_MEMORY_TOO_BIG, NULL);
    CHECK(proto == untouched());
    check_consumed(builder);
    hljs_builder_free(builder);
}

// A build that fails consumes the builder too.
static void failing_build(uint32_t present) {
    hljs_builder *builder = NULL;
    hljs_proto_sandbox *proto = (hljs_proto_sandbox *)untouched();
    SUCCEEDS(hljs_builder_new(&builder, &error));
    SUCCEEDS(hljs_builder_set_input_buffer_size(builder, 1 << 20, &error));
    FAILS(hljs_builder_build(builder, &proto, &error),
          present ? HLJS_CODE_MEMORY_TOO_SMALL : HLJS_CODE_NO_HYPERVISOR, NULL);
    CHECK(proto == untouched());
    check_consumed(builder);
    hljs_builder_free(builder);
}

static void *use_and_free(void *argument) {
    hljs_builder *builder = (hljs_builder *)argument;
    SUCCEEDS(hljs_builder_set_heap_size(builder, 8 << 20, &error));
    hljs_builder_free(builder);
    return NULL;
}

// An object belongs to no thread.
static void threads(void) {
    hljs_builder *builder = NULL;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    on_another_thread(use_and_free, builder);
}

void host_without_guest(void) {
    const uint32_t present = hypervisor_present();
    versions();
    no_error();
    an_error();
    free_nothing();
    null_builder();
    null_sandboxes();
    text();
    more_text();
    builder_options();
    user_data();
    build(present);
    failing_build(present);
    too_big();
    threads();
}
