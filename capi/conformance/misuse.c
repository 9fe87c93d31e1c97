// What a careless caller does: nothing where something is needed, texts that are none, numbers that are too big,
// objects that are in use, and frees in any order. All that is not undefined behaviour (head comment of the header)
// is answered. Run with the address sanitizer, this shows that the library follows no such pointer, either.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // MAP_ANONYMOUS
#endif

#include "guests.h"
#include "parts.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// --- Nothing at all, not even a place for the error.

#define REFUSED(call) CHECK((call) == HLJS_CODE_INVALID_ARGUMENT)

static void nothing_before_a_guest(void) {
    REFUSED(hljs_is_hypervisor_present(NULL, NULL));
    REFUSED(hljs_metrics_snapshot(NULL, NULL, NULL));
    REFUSED(hljs_logs_next(0, NULL, NULL, NULL));
    REFUSED(hljs_builder_new(NULL, NULL));
    REFUSED(hljs_builder_set_heap_size(NULL, UINT64_MAX, NULL));
    REFUSED(hljs_builder_set_scratch_size(NULL, UINT64_MAX, NULL));
    REFUSED(hljs_builder_set_input_buffer_size(NULL, UINT64_MAX, NULL));
    REFUSED(hljs_builder_set_output_buffer_size(NULL, UINT64_MAX, NULL));
    REFUSED(hljs_builder_set_interrupt_retry_delay(NULL, UINT64_MAX, NULL));
    REFUSED(hljs_builder_set_interrupt_signal_offset(NULL, UINT8_MAX, NULL));
    REFUSED(hljs_builder_set_print(NULL, NULL, NULL, NULL, NULL));
    REFUSED(hljs_builder_set_crashdump_enabled(NULL, UINT32_MAX, NULL));
    REFUSED(hljs_builder_set_debugging_port(NULL, UINT16_MAX, NULL));
    REFUSED(hljs_builder_get_config(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(hljs_builder_build(NULL, NULL, NULL));
    REFUSED(hljs_host_call_return_json(NULL, NULL, 0, NULL, 0, NULL));
    REFUSED(hljs_host_call_return_bytes(NULL, NULL, 0, NULL));
    REFUSED(hljs_host_call_fail(NULL, NULL, 0, NULL));
    REFUSED(hljs_file_give(NULL, NULL, 0, NULL));
    REFUSED(hljs_file_fail(NULL, NULL, 0, NULL));
    REFUSED(hljs_proto_sandbox_register(NULL, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL));
    REFUSED(hljs_proto_sandbox_set_module_loader(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(hljs_proto_sandbox_load_runtime(NULL, NULL, NULL));
    REFUSED(hljs_context_new(NULL, NULL));
    REFUSED(hljs_context_cancel(NULL, NULL));
    REFUSED(hljs_context_reset(NULL, NULL));
    REFUSED(hljs_monitor_new_wall_clock(0, NULL, NULL));
    REFUSED(hljs_monitor_new_cpu_time(0, NULL, NULL));
    REFUSED(hljs_monitor_new_trigger(NULL, 0, NULL, NULL));
    REFUSED(hljs_monitor_fire(NULL, NULL));
    REFUSED(hljs_monitor_reset(NULL, NULL));
}

static void nothing_of_a_guest(void) {
    REFUSED(hljs_sandbox_add_handler(NULL, NULL, 0, NULL, 0, NULL, 0, NULL));
    REFUSED(hljs_sandbox_remove_handler(NULL, NULL, 0, NULL));
    REFUSED(hljs_sandbox_clear_handlers(NULL, NULL));
    REFUSED(hljs_validate_module_name(NULL, 0, NULL, 0, NULL));
    REFUSED(hljs_sandbox_add_module(NULL, NULL, 0, NULL, 0, NULL, 0, NULL));
    REFUSED(hljs_sandbox_remove_module(NULL, NULL, 0, NULL, 0, NULL));
    REFUSED(hljs_sandbox_clear_modules(NULL, NULL));
    REFUSED(hljs_sandbox_status(NULL, NULL, NULL));
    REFUSED(hljs_sandbox_generate_crashdump(NULL, NULL));
    REFUSED(hljs_sandbox_get_loaded_sandbox(NULL, NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_handle_event(NULL, NULL, 0, NULL, 0, 0, NULL, 0, NULL, NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_handle_events(NULL, NULL, 0, NULL, NULL, 0, 0, 0, NULL, 0, NULL, 0, NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_status(NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_last_call_stats(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_interrupt_handle(NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_get_config(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_snapshot(NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_restore(NULL, NULL, NULL));
    REFUSED(hljs_loaded_sandbox_generate_crashdump(NULL, NULL));
    REFUSED(hljs_loaded_sandbox_unload(NULL, NULL, NULL));
    REFUSED(hljs_interrupt_handle_kill(NULL, NULL, NULL));
    REFUSED(hljs_interrupt_handle_dropped(NULL, NULL, NULL));
    REFUSED(hljs_snapshot_save(NULL, NULL, 0, NULL, 0, NULL, NULL, NULL));
    REFUSED(hljs_snapshot_load(NULL, 0, NULL, 0, 0, NULL, NULL));
    REFUSED(hljs_snapshot_get_config(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(hljs_snapshot_size(NULL, NULL, NULL));
    CHECK(hljs_loaded_sandbox_current_event(NULL) == 0);
    hljs_error_monitor(NULL, NULL, NULL);
    hljs_monitor_name(NULL, NULL, NULL);
    hljs_batch_results(NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    hljs_batch_stats(NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}

// --- Texts that are none. Each call passes one on, with all else as it should be, but without an object: texts
// are looked at first.

#define TEXT_CALL(name, call)                                                                                \
    static hljs_code name(const uint8_t *text, size_t len, hljs_error **error) { return call; }

static uint8_t *result;
static size_t result_len;
static hljs_monitor *monitor;
static hljs_batch *batch;
static hljs_snapshot *snapshot;

TEXT_CALL(json, hljs_host_call_return_json(NULL, text, len, NULL, 0, error))
TEXT_CALL(blobs, hljs_host_call_return_json(NULL, BYTES("1"), text, len, error))
TEXT_CALL(bytes, hljs_host_call_return_bytes(NULL, text, len, error))
TEXT_CALL(failure, hljs_host_call_fail(NULL, text, len, error))
TEXT_CALL(content, hljs_file_give(NULL, text, len, error))
TEXT_CALL(reason, hljs_file_fail(NULL, text, len, error))
TEXT_CALL(host_module, hljs_proto_sandbox_register(NULL, text, len, BYTES("f"), NULL, NULL, NULL, error))
TEXT_CALL(host_function, hljs_proto_sandbox_register(NULL, BYTES("m"), text, len, NULL, NULL, NULL, error))
TEXT_CALL(added_handler, hljs_sandbox_add_handler(NULL, text, len, BYTES("x"), NULL, 0, error))
TEXT_CALL(script, hljs_sandbox_add_handler(NULL, BYTES("h"), text, len, NULL, 0, error))
TEXT_CALL(base, hljs_sandbox_add_handler(NULL, BYTES("h"), BYTES("x"), text, len, error))
TEXT_CALL(removed_handler, hljs_sandbox_remove_handler(NULL, text, len, error))
TEXT_CALL(valid_name, hljs_validate_module_name(text, len, BYTES("user"), error))
TEXT_CALL(valid_ns, hljs_validate_module_name(BYTES("m"), text, len, error))
TEXT_CALL(module_name, hljs_sandbox_add_module(NULL, text, len, BYTES("user"), BYTES("x"), error))
TEXT_CALL(module_ns, hljs_sandbox_add_module(NULL, BYTES("m"), text, len, BYTES("x"), error))
TEXT_CALL(module_script, hljs_sandbox_add_module(NULL, BYTES("m"), BYTES("user"), text, len, error))
TEXT_CALL(removed_module, hljs_sandbox_remove_module(NULL, text, len, BYTES("user"), error))
TEXT_CALL(removed_ns, hljs_sandbox_remove_module(NULL, BYTES("m"), text, len, error))
TEXT_CALL(trigger, hljs_monitor_new_trigger(text, len, &monitor, error))
TEXT_CALL(handler, hljs_loaded_sandbox_handle_event(NULL, text, len, BYTES("{}"), 0, NULL, 0, NULL, &result, &result_len, error))
TEXT_CALL(event, hljs_loaded_sandbox_handle_event(NULL, BYTES("h"), text, len, 0, NULL, 0, NULL, &result, &result_len, error))
TEXT_CALL(batch_handler, hljs_loaded_sandbox_handle_events(NULL, text, len, NULL, NULL, 0, 0, 0, NULL, 0, NULL, 0, NULL, &batch, error))
TEXT_CALL(saved_dir, hljs_snapshot_save(NULL, text, len, BYTES("tag"), &result, &result_len, error))
TEXT_CALL(saved_tag, hljs_snapshot_save(NULL, BYTES("/nowhere"), text, len, &result, &result_len, error))
TEXT_CALL(loaded_dir, hljs_snapshot_load(text, len, BYTES("tag"), 0, &snapshot, error))
TEXT_CALL(loaded_reference, hljs_snapshot_load(BYTES("/nowhere"), text, len, 0, &snapshot, error))

enum takes { ANY_BYTES, ANY_TEXT };

static const struct {
    hljs_code (*call)(const uint8_t *text, size_t len, hljs_error **error);
    const char *name;
    enum takes takes;
} text_calls[] = {
#define OF(name, takes) {name, #name, takes}
    OF(json, ANY_TEXT), OF(blobs, ANY_BYTES), OF(bytes, ANY_BYTES), OF(failure, ANY_TEXT),
    OF(content, ANY_BYTES), OF(reason, ANY_TEXT), OF(host_module, ANY_TEXT), OF(host_function, ANY_TEXT),
    OF(added_handler, ANY_TEXT), OF(script, ANY_TEXT), OF(base, ANY_TEXT), OF(removed_handler, ANY_TEXT),
    OF(valid_name, ANY_TEXT), OF(valid_ns, ANY_TEXT), OF(module_name, ANY_TEXT), OF(module_ns, ANY_TEXT),
    OF(module_script, ANY_TEXT), OF(removed_module, ANY_TEXT), OF(removed_ns, ANY_TEXT), OF(trigger, ANY_TEXT),
    OF(handler, ANY_TEXT), OF(event, ANY_TEXT), OF(batch_handler, ANY_TEXT), OF(saved_dir, ANY_TEXT),
    OF(saved_tag, ANY_TEXT), OF(loaded_dir, ANY_TEXT), OF(loaded_reference, ANY_TEXT),
#undef OF
};

// A text right in front of memory that cannot be read: one byte too many ends the program.
static const uint8_t *at_the_end(const char *text, size_t len) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = (uint8_t *)mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
    return (const uint8_t *)memcpy(pages + page - len, text, len);
}

static void release(const uint8_t *text, size_t len) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    CHECK(munmap((void *)(text + len - page), 2 * page) == 0);
}

// An empty text is one, but there is no object, or nothing of that name.
static void fails_somehow(size_t i, const uint8_t *text) {
    const hljs_code code = text_calls[i].call(text, 0, NULL);
    check(code == HLJS_CODE_INVALID_ARGUMENT || code == HLJS_CODE_SNAPSHOT_NOT_FOUND || code == HLJS_CODE_NO_HYPERVISOR,
          text_calls[i].name, __FILE__, __LINE__);
}

// The call is refused, and says this.
static void is_refused(size_t i, const uint8_t *text, size_t len, const char *part) {
    hljs_error *error = NULL;
    const uint8_t *message = NULL;
    size_t message_len = 0;
    CHECK(text_calls[i].call(text, len, NULL) == HLJS_CODE_INVALID_ARGUMENT);
    check(text_calls[i].call(text, len, &error) == HLJS_CODE_INVALID_ARGUMENT, text_calls[i].name, __FILE__, __LINE__);
    hljs_error_message(error, &message, &message_len);
    check(contains(message, message_len, part), text_calls[i].name, __FILE__, __LINE__);
    hljs_error_free(error);
}

static void texts(void) {
    static const char bad[] = "ab\xff";
    static const char cut[] = "a\xc3";
    const uint8_t *not_utf8 = at_the_end(bad, 3), *cut_short = at_the_end(cut, 2), *good = at_the_end("x", 1);
    const char *no_memory = "more than any memory can hold";
    size_t i;
    for (i = 0; i < sizeof text_calls / sizeof *text_calls; i++) {
        fails_somehow(i, NULL);
        fails_somehow(i, good);
        is_refused(i, NULL, 1, "is NULL, but its length is 1");
        is_refused(i, NULL, SIZE_MAX, "is NULL, but its length is 18446744073709551615");
        is_refused(i, good, SIZE_MAX, no_memory);
        is_refused(i, good, SIZE_MAX / 2 + 1, no_memory);
        if (text_calls[i].takes == ANY_TEXT) {
            is_refused(i, not_utf8, 3, "is not UTF-8: invalid byte at offset 2");
            is_refused(i, cut_short, 2, "is not UTF-8: invalid byte at offset 1");
        }
    }
    release(not_utf8, 3);
    release(cut_short, 2);
    release(good, 1);
}

// --- Numbers that are too big, and lists that are too long.

static void sizes(void) {
    static const uint64_t numbers[] = {0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 4095, UINT64_MAX};
    typedef hljs_code (*setter)(const hljs_builder *builder, uint64_t bytes, hljs_error **error);
    static const setter setters[] = {hljs_builder_set_heap_size, hljs_builder_set_scratch_size,
                                     hljs_builder_set_input_buffer_size, hljs_builder_set_output_buffer_size};
    size_t i, j;
    for (i = 0; i < sizeof setters / sizeof *setters; i++) {
        for (j = 0; j < sizeof numbers / sizeof *numbers; j++) {
            hljs_builder *builder = NULL;
            hljs_proto_sandbox *proto = (hljs_proto_sandbox *)untouched();
            hljs_code code;
            SUCCEEDS(hljs_builder_new(&builder, &error));
            code = setters[i](builder, numbers[j], NULL);
            CHECK(code == HLJS_CODE_OK || code == HLJS_CODE_INVALID_ARGUMENT || code == HLJS_CODE_MEMORY_TOO_SMALL);
            if (code == HLJS_CODE_OK) {
                code = hljs_builder_build(builder, &proto, NULL);
                CHECK(code != HLJS_CODE_OK && code != HLJS_CODE_PANIC && code != HLJS_CODE_INTERNAL);
                CHECK(proto == untouched());
            }
            hljs_builder_free(builder);
        }
    }
}

static void numbers(void) {
    hljs_builder *builder = NULL;
    unsigned offset;
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    for (offset = 0; offset <= UINT8_MAX; offset++) {
        const hljs_code code = hljs_builder_set_interrupt_signal_offset(builder, (uint8_t)offset, NULL);
        CHECK(code == (offset <= (unsigned)(SIGRTMAX - SIGRTMIN) ? HLJS_CODE_OK : invalid));
    }
    SUCCEEDS(hljs_builder_set_interrupt_retry_delay(builder, UINT64_MAX, &error));
    hljs_builder_free(builder);
    SUCCEEDS(hljs_monitor_new_wall_clock(UINT64_MAX, &monitor, &error));
    hljs_monitor_free(monitor);
    SUCCEEDS(hljs_monitor_new_cpu_time(UINT64_MAX, &monitor, &error));
    hljs_monitor_free(monitor);
    FAILS(hljs_logs_start(UINT32_MAX, 0, 1, &error), invalid, NULL);
    FAILS(hljs_logs_start(HLJS_LOG_LEVEL_TRACE + 1, 0, 1, &error), invalid, NULL);
    FAILS(hljs_logs_start(HLJS_LOG_LEVEL_TRACE, 0, UINT32_MAX, &error), invalid, NULL);
    FAILS(hljs_logs_set_level(UINT32_MAX, &error), invalid, NULL);
}

static void lists(void) {
    const hljs_monitor *const monitors[1] = {NULL};
    const uint8_t *const events[1] = {NULL};
    const size_t lens[1] = {0};
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX / sizeof(void *), SIZE_MAX / sizeof(void *) / 2 + 1};
    size_t i;
    batch = (hljs_batch *)untouched();
    FAILS(hljs_loaded_sandbox_handle_event(NULL, BYTES("h"), BYTES("1"), 0, monitors, 1, NULL, &result, &result_len, &error),
          HLJS_CODE_INVALID_ARGUMENT, "monitors[0] is NULL");
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t many = sizes[i];
        REFUSED(hljs_loaded_sandbox_handle_event(NULL, BYTES("h"), BYTES("1"), 0, monitors, many, NULL, &result, &result_len, NULL));
        REFUSED(hljs_loaded_sandbox_handle_event(NULL, BYTES("h"), BYTES("1"), 0, NULL, many, NULL, &result, &result_len, NULL));
        REFUSED(hljs_loaded_sandbox_handle_events(NULL, BYTES("h"), events, lens, many, 0, 0, NULL, 0, NULL, 0, NULL, &batch, NULL));
        REFUSED(hljs_loaded_sandbox_handle_events(NULL, BYTES("h"), NULL, lens, many, 0, 0, NULL, 0, NULL, 0, NULL, &batch, NULL));
        REFUSED(hljs_loaded_sandbox_handle_events(NULL, BYTES("h"), events, NULL, many, 0, 0, NULL, 0, NULL, 0, NULL, &batch, NULL));
        REFUSED(hljs_loaded_sandbox_handle_events(NULL, BYTES("h"), NULL, NULL, 0, 0, 0, monitors, many, NULL, 0, NULL, &batch, NULL));
        REFUSED(hljs_loaded_sandbox_handle_events(NULL, BYTES("h"), NULL, NULL, 0, 0, 0, NULL, 0, monitors, many, NULL, &batch, NULL));
    }
    CHECK(batch == untouched());
}

void misuse_without_guest(void) {
    nothing_before_a_guest();
    nothing_of_a_guest();
    texts();
    sizes();
    numbers();
    lists();
}

// --- Objects that are in use.

static void *spin(void *loaded) {
    is_stopped((const hljs_loaded_sandbox *)loaded, "{\"spin\":true}", NULL, 0, NULL, "interrupt");
    return NULL;
}

// While another thread runs the guest.
static void busy(void) {
    struct beacon beacon;
    hljs_loaded_sandbox *loaded;
    hljs_sandbox *sandbox = (hljs_sandbox *)untouched();
    hljs_snapshot *none = (hljs_snapshot *)untouched();
    hljs_interrupt_handle *handle = NULL;
    const uint8_t *const events[1] = {(const uint8_t *)"{}"};
    const size_t lens[1] = {2};
    hljs_code code;
    uint32_t sent = 0, dropped = 7;
    uint64_t calls = 7;
    pthread_t thread;
    batch = (hljs_batch *)untouched();
    make_beacon(&beacon);
    loaded = load_script(new_proto_with(&beacon), may_spin);
    SUCCEEDS(hljs_loaded_sandbox_snapshot(loaded, &snapshot, &error));
    thread = start_thread(spin, loaded);
    wait_for(&beacon, 1);

    fails(loaded, "handler", BYTES("{}"), HLJS_CODE_BUSY);
    FAILS(hljs_loaded_sandbox_handle_events(loaded, BYTES("handler"), events, lens, 1, 0, 0, NULL, 0, NULL, 0, NULL, &batch, &error),
          HLJS_CODE_BUSY, NULL);
    FAILS(hljs_loaded_sandbox_snapshot(loaded, &none, &error), HLJS_CODE_BUSY, NULL);
    FAILS(hljs_loaded_sandbox_restore(loaded, snapshot, &error), HLJS_CODE_BUSY, NULL);
    FAILS(hljs_loaded_sandbox_unload(loaded, &sandbox, &error), HLJS_CODE_BUSY, NULL);
    code = hljs_loaded_sandbox_generate_crashdump(loaded, NULL);
    CHECK(code == (has_feature("crashdump") ? HLJS_CODE_BUSY : HLJS_CODE_UNSUPPORTED));
    CHECK(none == untouched() && batch == untouched() && sandbox == untouched());
    check_loaded_status(loaded, HLJS_STATUS_READY);
    SUCCEEDS(hljs_loaded_sandbox_last_call_stats(loaded, &calls, NULL, NULL, NULL, NULL, NULL, &error));
    CHECK(calls == 0);
    SUCCEEDS(hljs_loaded_sandbox_get_config(loaded, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    CHECK(hljs_loaded_sandbox_current_event(loaded) == 0);
    SUCCEEDS(hljs_loaded_sandbox_interrupt_handle(loaded, &handle, &error));
    SUCCEEDS(hljs_interrupt_handle_dropped(handle, &dropped, &error));
    CHECK(dropped == 0);

    SUCCEEDS(hljs_interrupt_handle_kill(handle, &sent, &error));
    join_thread(thread);
    SUCCEEDS(hljs_loaded_sandbox_restore(loaded, snapshot, &error));
    answers(loaded, "{}", "1");
    hljs_interrupt_handle_free(handle);
    hljs_snapshot_free(snapshot);
    hljs_loaded_sandbox_free(loaded);
    free_beacon(&beacon);
}

struct crowd {
    const hljs_loaded_sandbox *loaded;
    const hljs_snapshot *snapshot;
    int done, busy, others; // What became of this thread's calls.
};

static void *jostle(void *argument) {
    struct crowd *crowd = (struct crowd *)argument;
    int i;
    for (i = 0; i < 200; i++) {
        uint8_t *text = NULL;
        size_t len = 0;
        hljs_snapshot *taken = NULL;
        hljs_code code;
        if (i % 20 == 7) {
            code = hljs_loaded_sandbox_restore(crowd->loaded, crowd->snapshot, NULL);
        } else if (i % 20 == 13) {
            code = hljs_loaded_sandbox_snapshot(crowd->loaded, &taken, NULL);
        } else {
            code = hljs_loaded_sandbox_handle_event(crowd->loaded, BYTES("handler"), BYTES("{}"), 0, NULL, 0, NULL, &text,
                                                    &len, NULL);
        }
        crowd->done += code == HLJS_CODE_OK;
        crowd->busy += code == HLJS_CODE_BUSY;
        crowd->others += code != HLJS_CODE_OK && code != HLJS_CODE_BUSY;
        hljs_buffer_free(text, len);
        hljs_snapshot_free(taken);
    }
    return NULL;
}

// Many threads want the same sandbox: each call succeeds, or is told that another one runs.
static void crowded(void) {
    hljs_loaded_sandbox *loaded = load_script(new_proto(), may_spin);
    struct crowd crowds[4];
    pthread_t threads[4];
    size_t i;
    int done = 0;
    SUCCEEDS(hljs_loaded_sandbox_snapshot(loaded, &snapshot, &error));
    for (i = 0; i < 4; i++) {
        const struct crowd crowd = {loaded, snapshot, 0, 0, 0};
        crowds[i] = crowd;
        threads[i] = start_thread(jostle, &crowds[i]);
    }
    for (i = 0; i < 4; i++) {
        join_thread(threads[i]);
        CHECK(crowds[i].done + crowds[i].busy == 200 && crowds[i].others == 0);
        done += crowds[i].done;
    }
    CHECK(done > 0);
    SUCCEEDS(hljs_loaded_sandbox_restore(loaded, snapshot, &error));
    answers(loaded, "{}", "1");
    hljs_snapshot_free(snapshot);
    hljs_loaded_sandbox_free(loaded);
}

// --- Objects that outlive each other.

// All that comes of a sandbox, or was used with it. No call runs any more.
struct family {
    hljs_sandbox *consumed;
    hljs_loaded_sandbox *loaded;
    hljs_interrupt_handle *handle;
    hljs_snapshot *snapshot;
    hljs_batch *batch;
    hljs_monitor *monitor;
    hljs_context *context;
};

enum { MEMBERS = 7 };

static void make_family(struct family *family) {
    static const uint8_t *const events[2] = {(const uint8_t *)"{}", (const uint8_t *)"no JSON"};
    static const size_t lens[2] = {2, 7};
    const hljs_monitor *monitors[1];
    family->consumed = boot(new_proto());
    add(family->consumed, "handler", may_spin);
    SUCCEEDS(hljs_context_new(&family->context, &error));
    SUCCEEDS(hljs_sandbox_get_loaded_sandbox(family->consumed, family->context, &family->loaded, &error));
    SUCCEEDS(hljs_loaded_sandbox_interrupt_handle(family->loaded, &family->handle, &error));
    SUCCEEDS(hljs_loaded_sandbox_snapshot(family->loaded, &family->snapshot, &error));
    SUCCEEDS(hljs_monitor_new_wall_clock(UINT64_MAX, &family->monitor, &error));
    monitors[0] = family->monitor;
    SUCCEEDS(hljs_loaded_sandbox_handle_events(family->loaded, BYTES("handler"), events, lens, 2, 0, 0, monitors, 1, NULL, 0,
                                               family->context, &family->batch, &error));
}

static void free_member(struct family *family, int member) {
    switch (member) {
    case 0: hljs_sandbox_free(family->consumed); break;
    case 1: hljs_loaded_sandbox_free(family->loaded); family->loaded = NULL; break;
    case 2: hljs_interrupt_handle_free(family->handle); family->handle = NULL; break;
    case 3: hljs_snapshot_free(family->snapshot); family->snapshot = NULL; break;
    case 4: hljs_batch_free(family->batch); family->batch = NULL; break;
    case 5: hljs_monitor_free(family->monitor); family->monitor = NULL; break;
    default: hljs_context_free(family->context); family->context = NULL; break;
    }
}

// Whoever is left works as before.
static void use_family(const struct family *family) {
    if (family->loaded != NULL) {
        uint8_t *text = NULL;
        size_t len = 0;
        SUCCEEDS(hljs_loaded_sandbox_handle_event(family->loaded, BYTES("handler"), BYTES("{}"), 0, NULL, 0, family->context,
                                                  &text, &len, &error));
        hljs_buffer_free(text, len);
    }
    if (family->loaded != NULL && family->snapshot != NULL) {
        SUCCEEDS(hljs_loaded_sandbox_restore(family->loaded, family->snapshot, &error));
    }
    if (family->handle != NULL) {
        uint32_t dropped = 7, sent = 7;
        SUCCEEDS(hljs_interrupt_handle_dropped(family->handle, &dropped, &error));
        SUCCEEDS(hljs_interrupt_handle_kill(family->handle, &sent, &error));
        CHECK(dropped == (family->loaded == NULL) && sent == 0);
    }
    if (family->snapshot != NULL) {
        uint64_t size = 0;
        SUCCEEDS(hljs_snapshot_size(family->snapshot, &size, &error));
        CHECK(size > 0);
    }
    if (family->batch != NULL) {
        const uint8_t *results = NULL, *text = NULL;
        const hljs_error *const *errors = NULL;
        size_t len = 0, done = 0, text_len = 0;
        hljs_batch_results(family->batch, &results, &len, NULL, &errors, &done, NULL);
        CHECK(done == 2 && same_text(results, len, "1") && errors[0] == NULL);
        CHECK(hljs_error_code(errors[1]) == HLJS_CODE_INVALID_JSON);
        hljs_error_message(errors[1], &text, &text_len);
        CHECK(text_len > 0 && text[0] != '\0');
    }
    if (family->monitor != NULL) {
        const uint8_t *name = NULL;
        size_t len = 0;
        hljs_monitor_name(family->monitor, &name, &len);
        CHECK(same_text(name, len, "wall-clock"));
    }
    if (family->context != NULL) {
        SUCCEEDS(hljs_context_cancel(family->context, &error));
        SUCCEEDS(hljs_context_reset(family->context, &error));
    }
}

// Each of them is freed first once, and last once.
static void orders(void) {
    int first, i;
    for (first = 0; first < MEMBERS; first++) {
        struct family family;
        make_family(&family);
        for (i = 0; i < MEMBERS; i++) {
            use_family(&family);
            free_member(&family, (first + i * 3) % MEMBERS);
        }
    }
}

void misuse_with_guest(void) {
    busy();
    crowded();
    orders();
}
