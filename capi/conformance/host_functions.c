// Host functions: arguments, results and failures, in both directions.

#include "guests.h"
#include "parts.h"

#include <string.h>

// The event says which of the tests to run.
static const char script[] =
    "import * as host from 'host';\n"
    "const error = (f) => { try { return ['returned', f()]; } catch (e) { return e.message; } };\n"
    "const bytes = (...list) => new Uint8Array(list);\n"
    "const tests = {\n"
    "  echo: () => host.echo('\\u00e4\"\\u0000', 0.1, null, [true, { k: [] }]),\n"
    "  none: () => host.echo(),\n"
    "  blobs: () => Array.from(host.blobs(bytes(1, 2, 255), 'x', { deep: [bytes(), bytes(0)] })),\n"
    "  nested: () => { const r = host.nested(); return [r.list.map((b) => Array.from(b)), r.same instanceof Uint8Array,"
    " r.text]; },\n"
    "  noBlobs: () => host.noBlobs(),\n"
    "  fail: () => error(() => host.fail()),\n"
    "  silent: () => [host.silent()],\n"
    "  last: () => host.last(),\n"
    "  thread: () => host.thread(),\n"
    "  replaced: () => host.replaced(),\n"
    "  refused: () => [1, 2, 3, 4, 5, 6].map((i) => error(() => host.refused(i))),\n"
    "  uncaught: () => host.fail(),\n"
    "};\n"
    "function handler(event) { return tests[event](); }\n";

// What all functions have as user data: each its own.
struct function {
    int calls, drops;
};

static void on_drop(void *user_data) { ((struct function *)user_data)->drops++; }

static void called(void *user_data) {
    struct function *function = (struct function *)user_data;
    function->calls++;
    CHECK(function->drops == 0);
}

// The parameters of a host function, and what the compiler is to think of those that are not used.
#define PARAMETERS                                                                                                     \
    void *user_data, const hljs_host_call *call, const uint8_t *args, size_t args_len, const uint8_t *blobs,           \
        size_t blobs_len
#define CALLED (void)call, (void)args, (void)args_len, (void)blobs, (void)blobs_len, called(user_data)

static void echo(PARAMETERS) {
    CALLED;
    CHECK(blobs == NULL && blobs_len == 0);
    SUCCEEDS(hljs_host_call_return_json(call, args, args_len, NULL, 0, &error));
}

// Three blobs: their count, and for each its length and its bytes.
static const uint8_t three_blobs[] = {3, 0, 0, 0, 3, 0, 0, 0, 1, 2, 255, 0, 0, 0, 0, 1, 0, 0, 0, 0};

static void take_blobs(PARAMETERS) {
    CALLED;
    CHECK(same_text(args, args_len, "[{\"__bin__\":0},\"x\",{\"deep\":[{\"__bin__\":1},{\"__bin__\":2}]}]"));
    CHECK(blobs_len == sizeof three_blobs && memcmp(blobs, three_blobs, blobs_len) == 0);
    SUCCEEDS(hljs_host_call_return_bytes(call, blobs + 8, 3, &error));
}

static void nested(PARAMETERS) {
    CALLED;
    SUCCEEDS(hljs_host_call_return_json(
        call, BYTES("{\"list\":[{\"__bin__\":0},{\"__bin__\":1}],\"same\":{\"__bin__\":0},\"text\":\"x\"}"),
        three_blobs, sizeof three_blobs, &error));
}

// Without blobs, what looks like one is an object.
static void no_blobs(PARAMETERS) {
    CALLED;
    SUCCEEDS(hljs_host_call_return_json(call, BYTES("{\"__bin__\":0}"), NULL, 0, &error));
}

static void fail(PARAMETERS) {
    CALLED;
    SUCCEEDS(hljs_host_call_fail(call, BYTES("no such door: \xc3\xa4"), &error));
}

static void silent(PARAMETERS) { CALLED; }

static void last(PARAMETERS) {
    CALLED;
    SUCCEEDS(hljs_host_call_return_json(call, BYTES("1"), NULL, 0, &error));
    SUCCEEDS(hljs_host_call_fail(call, BYTES("not this one"), &error));
    FAILS(hljs_host_call_return_json(call, BYTES("{"), NULL, 0, &error), HLJS_CODE_INVALID_JSON, NULL);
    SUCCEEDS(hljs_host_call_return_bytes(call, NULL, 0, &error));
    SUCCEEDS(hljs_host_call_return_json(call, BYTES("[\"the last one\"]"), NULL, 0, &error));
}

static void *answer(void *argument) {
    const hljs_host_call *call = (const hljs_host_call *)argument;
    SUCCEEDS(hljs_host_call_return_json(call, BYTES("\"from another thread\""), NULL, 0, &error));
    return NULL;
}

static void thread(PARAMETERS) {
    CALLED;
    on_another_thread(answer, (void *)(uintptr_t)call);
}

// More than the input buffer holds, which is 16 KiB.
static uint8_t big[16 << 10];

static void refused(PARAMETERS) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    CALLED;
    memset(big, ' ', sizeof big);
    big[0] = '7';
    switch (((struct function *)user_data)->calls) {
    case 1:
        FAILS(hljs_host_call_return_bytes(call, big, sizeof big, &error), HLJS_CODE_BUFFER_TOO_SMALL,
              "the result needs 16468 bytes of the input buffer, which has 16384");
        break;
    case 2:
        FAILS(hljs_host_call_return_json(call, big, sizeof big, NULL, 0, &error), HLJS_CODE_BUFFER_TOO_SMALL, NULL);
        break;
    case 3:
        FAILS(hljs_host_call_return_json(call, BYTES("{"), NULL, 0, &error), HLJS_CODE_INVALID_JSON, NULL);
        break;
    case 4:
        FAILS(hljs_host_call_return_json(call, BYTES("{\"__bin__\":3}"), three_blobs, sizeof three_blobs, &error),
              invalid, NULL);
        break;
    case 5:
        FAILS(hljs_host_call_return_json(call, BYTES("1"), three_blobs, 3, &error), invalid,
              "Binary sidecar too short for count header");
        break;
    default:
        FAILS(hljs_host_call_return_json(call, BYTES("\"\xff\""), NULL, 0, &error), invalid,
              "the result is not UTF-8: invalid byte at offset 1");
        FAILS(hljs_host_call_return_bytes(call, NULL, 1, &error), invalid, "data is NULL, but its length is 1");
        FAILS(hljs_host_call_fail(call, BYTES("\xff"), &error), invalid,
              "the error text is not UTF-8: invalid byte at offset 0");
    }
}

static void no_call(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    FAILS(hljs_host_call_return_json(NULL, BYTES("1"), NULL, 0, &error), invalid, "call is NULL");
    FAILS(hljs_host_call_return_json(NULL, BYTES("\xff"), NULL, 0, &error), invalid,
          "the result is not UTF-8: invalid byte at offset 0");
    FAILS(hljs_host_call_return_json(NULL, NULL, 1, NULL, 0, &error), invalid,
          "the result is NULL, but its length is 1");
    FAILS(hljs_host_call_return_json(NULL, BYTES("1"), NULL, 1, &error), invalid, "blobs is NULL, but its length is 1");
    FAILS(hljs_host_call_return_bytes(NULL, BYTES("x"), &error), invalid, "call is NULL");
    CHECK(hljs_host_call_return_bytes(NULL, BYTES("x"), NULL) == invalid);
    FAILS(hljs_host_call_return_bytes(NULL, big, SIZE_MAX, &error), invalid, NULL);
    FAILS(hljs_host_call_fail(NULL, BYTES("text"), &error), invalid, "call is NULL");
}

static hljs_code try_register(const hljs_proto_sandbox *proto, const uint8_t *module, size_t module_len,
                              const uint8_t *name, size_t name_len, hljs_host_fn function, int *drops,
                              hljs_error **error) {
    return hljs_proto_sandbox_register(proto, module, module_len, name, name_len, function, drops, count_drop, error);
}

// A drop function runs exactly once, also when the call fails.
static void refused_registrations(hljs_proto_sandbox *proto) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    int drops = 0;
    FAILS(try_register(proto, BYTES("m\xff"), BYTES("f"), silent, &drops, &error), invalid,
          "the module name is not UTF-8: invalid byte at offset 1");
    CHECK(drops == 1);
    FAILS(try_register(proto, BYTES("m"), BYTES("f\0"), silent, &drops, &error), invalid,
          "the function name contains a NUL byte at offset 1");
    CHECK(drops == 2);
    FAILS(try_register(proto, NULL, 1, BYTES("f"), silent, &drops, &error), invalid,
          "the module name is NULL, but its length is 1");
    CHECK(drops == 3);
    FAILS(try_register(proto, BYTES("m"), BYTES("f"), NULL, &drops, &error), invalid, "function is NULL");
    CHECK(drops == 4);
    FAILS(try_register(proto, BYTES("m"), big, SIZE_MAX, silent, &drops, &error), invalid, NULL);
    CHECK(drops == 5);
    memset(big, 'x', sizeof big);
    if (proto == NULL) {
        FAILS(try_register(proto, BYTES("m"), BYTES("f"), silent, &drops, &error), invalid, "proto is NULL");
    } else {
        FAILS(try_register(proto, BYTES("m"), big, sizeof big, silent, &drops, &error), HLJS_CODE_BUFFER_TOO_SMALL, NULL);
    }
    CHECK(drops == 6);
}

static void registrations(hljs_proto_sandbox *proto) {
    int first = 0, second = 0, unnamed = 0;
    SUCCEEDS(hljs_proto_sandbox_register(proto, BYTES("m"), BYTES("f"), silent, &first, count_drop, &error));
    CHECK(first == 0);
    SUCCEEDS(hljs_proto_sandbox_register(proto, BYTES("m"), BYTES("f"), silent, &second, count_drop, &error));
    CHECK(first == 1 && second == 0);
    SUCCEEDS(hljs_proto_sandbox_register(proto, NULL, 0, NULL, 0, silent, &unnamed, count_drop, &error));
    SUCCEEDS(hljs_proto_sandbox_register(proto, BYTES("m"), BYTES("g"), silent, NULL, NULL, &error));
    hljs_proto_sandbox_free(proto);
    CHECK(first == 1 && second == 1 && unnamed == 1);
}

void host_functions_without_guest(void) {
    hljs_proto_sandbox *proto = new_proto();
    no_call();
    refused_registrations(NULL);
    if (proto != NULL) {
        refused_registrations(proto);
        registrations(proto);
    }
}

static const struct {
    const char *name;
    hljs_host_fn function;
} all[] = {
    {"echo", echo},     {"blobs", take_blobs}, {"nested", nested},   {"noBlobs", no_blobs}, {"fail", fail},
    {"silent", silent}, {"last", last},        {"thread", thread},   {"replaced", fail},    {"replaced", silent},
    {"refused", refused},
};
enum { COUNT = sizeof all / sizeof all[0] };

// The guest's exceptions begin with upstream's words; what counts is that it can catch them.
static void check_refusals(const hljs_loaded_sandbox *loaded) {
    static const char *const reasons[] = {
        "the result needs 16468 bytes of the input buffer", "the result is not JSON",
        "index 3 out of bounds", "Binary sidecar too short",
    };
    uint8_t *result = NULL;
    size_t len = 0, i;
    SUCCEEDS(hljs_loaded_sandbox_handle_event(loaded, BYTES("handler"), BYTES("\"refused\""), 0, NULL, 0, NULL, &result, &len,
                                              &error));
    CHECK(!contains(result, len, "returned"));
    for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++) CHECK(contains(result, len, reasons[i]));
    hljs_buffer_free(result, len);
}

void host_functions_with_guest(void) {
    struct function functions[COUNT];
    hljs_proto_sandbox *proto = new_proto();
    hljs_loaded_sandbox *loaded;
    uint8_t *result = NULL;
    size_t len = 0, i;
    memset(functions, 0, sizeof functions);
    for (i = 0; i < COUNT; i++) {
        SUCCEEDS(hljs_proto_sandbox_register(proto, BYTES("host"), TEXT(all[i].name), all[i].function, &functions[i],
                                             on_drop, &error));
    }
    loaded = load_script(proto, script);
    answers(loaded, "\"echo\"", "[\"\xc3\xa4\\\"\\u0000\",0.1,null,[true,{\"k\":[]}]]");
    answers(loaded, "\"none\"", "[]");
    answers(loaded, "\"blobs\"", "[1,2,255]");
    answers(loaded, "\"nested\"", "[[[1,2,255],[]],true,\"x\"]");
    answers(loaded, "\"noBlobs\"", "{\"__bin__\":0}");
    answers(loaded, "\"silent\"", "[null]");
    answers(loaded, "\"last\"", "[\"the last one\"]");
    answers(loaded, "\"thread\"", "\"from another thread\"");
    answers(loaded, "\"replaced\"", "null");
    SUCCEEDS(hljs_loaded_sandbox_handle_event(loaded, BYTES("handler"), BYTES("\"fail\""), 0, NULL, 0, NULL, &result, &len,
                                              &error));
    CHECK(contains(result, len, "no such door: \xc3\xa4") && !contains(result, len, "returned"));
    hljs_buffer_free(result, len);
    check_refusals(loaded);
    fails(loaded, "handler", BYTES("\"uncaught\""), HLJS_CODE_JS_EXCEPTION);
    answers(loaded, "\"none\"", "[]");
    check_loaded_status(loaded, HLJS_STATUS_READY);

    for (i = 0; i < COUNT; i++) { // The first "replaced" was.
        const int replaced = i + 1 < COUNT && strcmp(all[i].name, all[i + 1].name) == 0;
        CHECK((functions[i].calls == 0) == replaced && functions[i].drops == replaced);
    }
    hljs_loaded_sandbox_free(loaded);
    for (i = 0; i < COUNT; i++) CHECK(functions[i].drops == 1);
}
