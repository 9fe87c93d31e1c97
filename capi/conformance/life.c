// The life of a sandbox, with handlers that run.

#include "guests.h"
#include "parts.h"

#include <signal.h>
#include <string.h>

static const char script[] = "function handler(event) { return { message: 'Hello, ' + event.name + '!' }; }";

// printer is the user data of print.
struct printer {
    char text[256];
    size_t len;
    int drops;
    // Called back into from print, if set.
    hljs_loaded_sandbox *running;
};

static void on_drop(void *user_data) { ((struct printer *)user_data)->drops++; }

// A callback that calls into the sandbox that runs it is told so, and may ask for its status.
static void call_back(hljs_loaded_sandbox *running) {
    uint8_t *result = (uint8_t *)untouched();
    size_t len = 7;
    hljs_sandbox *sandbox = (hljs_sandbox *)untouched();
    hljs_snapshot *snapshot = (hljs_snapshot *)untouched();
    hljs_status status = HLJS_STATUS_CONSUMED;
    uint64_t heap = 0, calls = 0;
    const char *busy = "the loaded sandbox is in use by another call";
    FAILS(hljs_loaded_sandbox_handle_event(running, BYTES("greet"), BYTES("{}"), 0, NULL, 0, NULL, &result, &len, &error),
          HLJS_CODE_BUSY, busy);
    FAILS(hljs_loaded_sandbox_unload(running, &sandbox, &error), HLJS_CODE_BUSY, busy);
    CHECK(result == untouched() && len == 7 && sandbox == untouched());
    FAILS(hljs_loaded_sandbox_snapshot(running, &snapshot, &error), HLJS_CODE_BUSY, busy);
    CHECK(snapshot == untouched());
    SUCCEEDS(hljs_loaded_sandbox_status(running, &status, &error));
    CHECK(status == HLJS_STATUS_READY);
    SUCCEEDS(hljs_loaded_sandbox_get_config(running, &heap, NULL, NULL, NULL, NULL, NULL, &error));
    SUCCEEDS(hljs_loaded_sandbox_last_call_stats(running, &calls, NULL, NULL, NULL, NULL, NULL, &error));
    CHECK(heap == 4 << 20 && calls > 0);
}

static void on_print(void *user_data, const uint8_t *text, size_t len) {
    struct printer *printer = (struct printer *)user_data;
    CHECK(printer->len + len <= sizeof printer->text);
    if (printer->len + len <= sizeof printer->text) {
        memcpy(printer->text + printer->len, text, len);
        printer->len += len;
    }
    if (printer->running != NULL) {
        call_back(printer->running);
    }
}

static void ignore_call(void *user_data, const hljs_host_call *call, const uint8_t *args, size_t args_len,
                        const uint8_t *blobs, size_t blobs_len) {
    (void)user_data, (void)call, (void)args, (void)args_len, (void)blobs, (void)blobs_len;
}

static uint32_t no_file(void *user_data, const uint8_t *path, size_t path_len) {
    (void)user_data, (void)path, (void)path_len;
    return HLJS_FILE_KIND_NOTHING;
}

static void read_nothing(void *user_data, const hljs_file *file, const uint8_t *path, size_t path_len, size_t max_len) {
    (void)user_data, (void)file, (void)path, (void)path_len, (void)max_len;
}

static void check_consumed(const hljs_proto_sandbox *proto) {
    const char *message = "the proto sandbox has already been consumed";
    hljs_sandbox *none = (hljs_sandbox *)untouched();
    int drops = 0;
    FAILS(hljs_proto_sandbox_load_runtime(proto, &none, &error), HLJS_CODE_CONSUMED, message);
    CHECK(none == untouched());
    FAILS(hljs_proto_sandbox_register(proto, BYTES("m"), BYTES("f"), ignore_call, &drops, count_drop, &error),
          HLJS_CODE_CONSUMED, message);
    CHECK(drops == 1);
    FAILS(hljs_proto_sandbox_set_module_loader(proto, no_file, read_nothing, &drops, count_drop, &error),
          HLJS_CODE_CONSUMED, message);
    CHECK(drops == 2);
}

static hljs_sandbox *new_sandbox(struct printer *printer) {
    hljs_builder *builder = NULL;
    hljs_proto_sandbox *proto = NULL;
    hljs_sandbox *sandbox = NULL;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    SUCCEEDS(hljs_builder_set_print(builder, on_print, printer, on_drop, &error));
    SUCCEEDS(hljs_builder_build(builder, &proto, &error));
    hljs_builder_free(builder);
    SUCCEEDS(hljs_proto_sandbox_load_runtime(proto, &sandbox, &error));
    check_consumed(proto);
    hljs_proto_sandbox_free(proto);
    return sandbox;
}

// Without this flag an interrupt could write onto the stack of a coroutine, such as Go's.
static void interrupt_signal(void) {
    struct sigaction action;
    CHECK(sigaction(SIGRTMIN, NULL, &action) == 0);
    CHECK((action.sa_flags & SA_ONSTACK) != 0);
}

static void handlers(const hljs_sandbox *sandbox) {
    hljs_loaded_sandbox *loaded = (hljs_loaded_sandbox *)untouched();
    static uint8_t big[20 << 10];
    FAILS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error), HLJS_CODE_NO_HANDLERS, NULL);
    CHECK(loaded == untouched());
    check_status(sandbox, HLJS_STATUS_READY); // Not consumed.

    FAILS(hljs_sandbox_add_handler(sandbox, NULL, 0, BYTES("script"), NULL, 0, &error), HLJS_CODE_INVALID_ARGUMENT, NULL);
    FAILS(hljs_sandbox_remove_handler(sandbox, NULL, 0, &error), HLJS_CODE_INVALID_ARGUMENT, NULL);
    memset(big, ' ', sizeof big);
    FAILS(hljs_sandbox_add_handler(sandbox, BYTES("big"), big, sizeof big, NULL, 0, &error), HLJS_CODE_BUFFER_TOO_SMALL,
          NULL);
    FAILS(hljs_sandbox_remove_handler(sandbox, BYTES("big"), &error), HLJS_CODE_HANDLER_NOT_FOUND, NULL);

    add(sandbox, "greet", script);
    FAILS(hljs_sandbox_add_handler(sandbox, BYTES("greet"), BYTES("other"), NULL, 0, &error), HLJS_CODE_HANDLER_EXISTS, NULL);
    SUCCEEDS(hljs_sandbox_remove_handler(sandbox, BYTES("greet"), &error));
    FAILS(hljs_sandbox_remove_handler(sandbox, BYTES("greet"), &error), HLJS_CODE_HANDLER_NOT_FOUND, NULL);
    add(sandbox, "greet", "no JavaScript at all");
    SUCCEEDS(hljs_sandbox_clear_handlers(sandbox, &error));
    FAILS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error), HLJS_CODE_NO_HANDLERS, NULL);
}

static void modules(const hljs_sandbox *sandbox) {
    SUCCEEDS(hljs_sandbox_add_module(sandbox, BYTES("m"), BYTES("user"), BYTES("export const x = 1;"), &error));
    FAILS(hljs_sandbox_add_module(sandbox, BYTES("m"), BYTES("user"), BYTES("x"), &error), HLJS_CODE_MODULE_EXISTS,
          "Module already exists: user:m");
    SUCCEEDS(hljs_sandbox_remove_module(sandbox, BYTES("m"), BYTES("user"), &error));
    FAILS(hljs_sandbox_remove_module(sandbox, BYTES("m"), BYTES("user"), &error), HLJS_CODE_MODULE_NOT_FOUND,
          "Module does not exist: user:m");
    SUCCEEDS(hljs_sandbox_clear_modules(sandbox, &error));
}

static void add_all(const hljs_sandbox *sandbox) {
    char copied[sizeof script];
    // Inputs are copied: what becomes of them does not matter.
    memcpy(copied, script, sizeof copied);
    add(sandbox, "greet", copied);
    memset(copied, '!', sizeof copied);
    add(sandbox, "print", "function handler(event) { console.log(event.text); return null; }");
    add(sandbox, "throw", "function handler(event) { throw new Error('thrown on purpose'); }");
    add(sandbox, "throw text", "function handler(event) { throw 'just text'; }");
    add(sandbox, "nothing", "function handler(event) { }");
    add(sandbox, "grow", "function handler(event) { const all = []; for (;;) all.push(new Array(1000).fill(1)); }");
}

static hljs_loaded_sandbox *load(hljs_sandbox *sandbox) {
    hljs_loaded_sandbox *loaded = NULL, *none = (hljs_loaded_sandbox *)untouched();
    const char *consumed = "the sandbox has already been consumed";
    SUCCEEDS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error));
    check_status(sandbox, HLJS_STATUS_CONSUMED);
    FAILS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &none, &error), HLJS_CODE_CONSUMED, consumed);
    FAILS(hljs_sandbox_add_handler(sandbox, BYTES("name"), BYTES("script"), NULL, 0, &error), HLJS_CODE_CONSUMED, consumed);
    FAILS(hljs_sandbox_remove_handler(sandbox, BYTES("name"), &error), HLJS_CODE_CONSUMED, consumed);
    FAILS(hljs_sandbox_clear_handlers(sandbox, &error), HLJS_CODE_CONSUMED, consumed);
    FAILS(hljs_sandbox_add_module(sandbox, BYTES("m"), BYTES("user"), BYTES("x"), &error), HLJS_CODE_CONSUMED, consumed);
    FAILS(hljs_sandbox_remove_module(sandbox, BYTES("m"), BYTES("user"), &error), HLJS_CODE_CONSUMED, consumed);
    FAILS(hljs_sandbox_clear_modules(sandbox, &error), HLJS_CODE_CONSUMED, consumed);
    CHECK(none == untouched());
    hljs_sandbox_free(sandbox);
    return loaded;
}

static void results(const hljs_loaded_sandbox *loaded) {
    static const char two_events[] = "{\"name\":\"C\"}{\"name\":\"D\"}";
    const size_t one = (sizeof two_events - 1) / 2;
    uint32_t gc;
    for (gc = 0; gc < 3; gc++) {
        handle(loaded, "greet", (const uint8_t *)two_events, one, gc, "{\"message\":\"Hello, C!\"}");
    }
    handle(loaded, "greet", (const uint8_t *)two_events + one, one, 0, "{\"message\":\"Hello, D!\"}");
    handle(loaded, "greet", BYTES("{\"name\":\"\xc3\xa4\\u0000\"}"), 0, "{\"message\":\"Hello, \xc3\xa4\\u0000!\"}");
}

static void bad_calls(const hljs_loaded_sandbox *loaded) {
    static uint8_t big[20 << 10];
    memset(big, ' ', sizeof big);
    big[0] = '7';
    fails(loaded, "greet", BYTES("no JSON"), HLJS_CODE_INVALID_JSON);
    fails(loaded, "greet", NULL, 0, HLJS_CODE_INVALID_JSON);
    fails(loaded, "", BYTES("{}"), HLJS_CODE_INVALID_ARGUMENT);
    fails(loaded, "nobody", BYTES("{}"), HLJS_CODE_HANDLER_NOT_FOUND);
    fails(loaded, "nothing", BYTES("{}"), HLJS_CODE_NO_VALUE);
    fails(loaded, "throw", BYTES("{}"), HLJS_CODE_JS_EXCEPTION);
    fails(loaded, "greet", BYTES("\"\xff\""), HLJS_CODE_INVALID_ARGUMENT);
    fails(loaded, "greet", big, sizeof big, HLJS_CODE_BUFFER_TOO_SMALL);
    check_loaded_status(loaded, HLJS_STATUS_READY);
    handle(loaded, "greet", BYTES("{}"), 0, "{\"message\":\"Hello, undefined!\"}");
}

static void exception(const hljs_loaded_sandbox *loaded, const char *name, const char *message, int with_stack) {
    uint8_t *result;
    size_t result_len;
    hljs_error *error = NULL;
    const uint8_t *text;
    size_t len;
    CHECK(hljs_loaded_sandbox_handle_event(loaded, TEXT(name), BYTES("{}"), 0, NULL, 0, NULL, &result,
                                           &result_len, &error) == HLJS_CODE_JS_EXCEPTION);
    hljs_error_js_message(error, &text, &len);
    CHECK(same_text(text, len, message));
    hljs_error_js_stack(error, &text, &len);
    CHECK((len > 0) == with_stack);
    CHECK(hljs_error_guest_code(error) != 0);
    hljs_error_free(error);
}

static void printing(hljs_loaded_sandbox *loaded, struct printer *printer) {
    printer->running = loaded;
    handle(loaded, "print", BYTES("{\"text\":\"printed\"}"), 0, "null");
    printer->running = NULL;
    CHECK(same_text((const uint8_t *)printer->text, printer->len, "printed\n"));
    CHECK(printer->drops == 0);
}

static void *greet(void *argument) {
    handle((hljs_loaded_sandbox *)argument, "greet", BYTES("{\"name\":\"thread\"}"), 0,
           "{\"message\":\"Hello, thread!\"}");
    return NULL;
}

static void poisoned(const hljs_loaded_sandbox *loaded) {
    uint8_t *result = (uint8_t *)untouched();
    size_t len = 7;
    FAILS(hljs_loaded_sandbox_handle_event(loaded, BYTES("grow"), BYTES("{}"), 0, NULL, 0, NULL, &result, &len, &error),
          HLJS_CODE_OUT_OF_MEMORY, NULL);
    check_loaded_status(loaded, HLJS_STATUS_POISONED);
    fails(loaded, "greet", BYTES("{}"), HLJS_CODE_POISONED);
    CHECK(result == untouched() && len == 7);
}

static hljs_sandbox *unload(hljs_loaded_sandbox *loaded) {
    hljs_sandbox *sandbox = NULL, *none = (hljs_sandbox *)untouched();
    SUCCEEDS(hljs_loaded_sandbox_unload(loaded, &sandbox, &error));
    check_loaded_status(loaded, HLJS_STATUS_CONSUMED);
    fails(loaded, "greet", BYTES("{}"), HLJS_CODE_CONSUMED);
    FAILS(hljs_loaded_sandbox_unload(loaded, &none, &error), HLJS_CODE_CONSUMED,
          "the loaded sandbox has already been consumed");
    CHECK(none == untouched());
    hljs_loaded_sandbox_free(loaded);
    check_status(sandbox, HLJS_STATUS_READY);
    return sandbox;
}

// A script that fails consumes the sandbox too.
static void bad_script(void) {
    struct printer printer;
    hljs_loaded_sandbox *loaded = (hljs_loaded_sandbox *)untouched();
    hljs_sandbox *sandbox;
    memset(&printer, 0, sizeof printer);
    sandbox = new_sandbox(&printer);
    add(sandbox, "bad", "function handler( {");
    FAILS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error), HLJS_CODE_JS_EXCEPTION, NULL);
    CHECK(loaded == untouched());
    check_status(sandbox, HLJS_STATUS_CONSUMED);
    hljs_sandbox_free(sandbox);
    CHECK(printer.drops == 1);
}

void life_with_guest(void) {
    struct printer printer;
    hljs_sandbox *sandbox;
    hljs_loaded_sandbox *loaded;
    memset(&printer, 0, sizeof printer);
    sandbox = new_sandbox(&printer);
    interrupt_signal();
    handlers(sandbox);
    modules(sandbox);
    add_all(sandbox);
    loaded = load(sandbox);
    results(loaded);
    bad_calls(loaded);
    exception(loaded, "throw", "thrown on purpose", 1);
    exception(loaded, "throw text", "just text", 0);
    printing(loaded, &printer);
    on_another_thread(greet, loaded);
    poisoned(loaded);

    sandbox = unload(loaded);
    handlers(sandbox); // Unloading forgot them all.
    add_all(sandbox);
    loaded = load(sandbox);
    results(loaded);
    CHECK(printer.drops == 0);
    hljs_loaded_sandbox_free(loaded);
    CHECK(printer.drops == 1);
    bad_script();
}
