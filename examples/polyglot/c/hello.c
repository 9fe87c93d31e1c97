// Runs JavaScript handlers in a micro-VM, from C. See README.md in this folder.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyperlight_js.h"

// The ABI takes text as pointer and length.
#define TEXT(text) (const uint8_t *)(text), strlen(text)

static const char hello[] = "function handler(event) { return { message: `Hello, ${event.name}!` }; }";

static const char order[] =
    "import * as shop from 'shop';\n"
    "function handler(fruits) {\n"
    "  return fruits.map((fruit) => {\n"
    "    try { return fruit + ': ' + shop.stock(fruit); } catch (error) { return error.message; }\n"
    "  });\n"
    "}\n";

static const char endless[] = "function handler() { for (;;) {} }";

// Prints why a call failed, and frees that.
static void explain(hljs_code code, hljs_error *error) {
    const uint8_t *text, *monitor;
    size_t len, monitor_len;
    hljs_error_message(error, &text, &len);
    hljs_error_monitor(error, &monitor, &monitor_len);
    printf("code %u: %.*s", (unsigned)code, (int)len, (const char *)text);
    if (monitor_len > 0) {
        printf(" (stopped by %.*s)", (int)monitor_len, (const char *)monitor);
    }
    printf("\n");
    hljs_error_free(error);
}

// Calls a function of the ABI that takes an hljs_error last and must succeed here, or ends the program.
#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        hljs_error *error = NULL;                                                                                      \
        const hljs_code code = (call);                                                                                 \
        if (code != HLJS_CODE_OK) {                                                                                    \
            explain(code, error);                                                                                      \
            exit(EXIT_FAILURE);                                                                                        \
        }                                                                                                              \
    } while (0)

// The host function: how many of a fruit there are. The arguments are a JSON array, such as ["apple"]; a program with
// more than this one function has a JSON library.
static void stock(void *user_data, const hljs_host_call *call, const uint8_t *args, size_t args_len,
                  const uint8_t *blobs, size_t blobs_len) {
    static const char apple[] = "[\"apple\"]";
    int *calls = user_data;
    (void)blobs, (void)blobs_len;
    ++*calls;
    if (args_len == strlen(apple) && memcmp(args, apple, args_len) == 0) {
        MUST(hljs_host_call_return_json(call, TEXT("5"), NULL, 0, &error));
    } else {
        MUST(hljs_host_call_fail(call, TEXT("we only have apples"), &error)); // an exception in JavaScript
    }
}

// Runs a handler, and prints its result or why there is none.
static void handle(const hljs_loaded_sandbox *loaded, const char *name, const char *event, const hljs_monitor *limit) {
    uint8_t *result;
    size_t len;
    hljs_error *error = NULL;
    const hljs_code code = hljs_loaded_sandbox_handle_event(loaded, TEXT(name), TEXT(event), 1, &limit,
                                                            limit == NULL ? 0 : 1, NULL, &result, &len, &error);
    if (code != HLJS_CODE_OK) {
        explain(code, error);
        return;
    }
    printf("%.*s\n", (int)len, (const char *)result);
    hljs_buffer_free(result, len);
}

int main(void) {
    if (hljs_abi_version() != HLJS_ABI_VERSION) {
        fprintf(stderr, "the library has version %u of the ABI, and this program needs %d\n",
                (unsigned)hljs_abi_version(), HLJS_ABI_VERSION);
        return EXIT_FAILURE;
    }

    // Each step takes over what the last one gave; what is left of that is freed all the same.
    hljs_builder *builder;
    MUST(hljs_builder_new(&builder, &error));
    hljs_proto_sandbox *proto;
    MUST(hljs_builder_build(builder, &proto, &error));
    int calls = 0;
    MUST(hljs_proto_sandbox_register(proto, TEXT("shop"), TEXT("stock"), stock, &calls, NULL, &error));
    hljs_sandbox *sandbox;
    MUST(hljs_proto_sandbox_load_runtime(proto, &sandbox, &error));
    MUST(hljs_sandbox_add_handler(sandbox, TEXT("hello"), TEXT(hello), NULL, 0, &error));
    MUST(hljs_sandbox_add_handler(sandbox, TEXT("order"), TEXT(order), NULL, 0, &error));
    MUST(hljs_sandbox_add_handler(sandbox, TEXT("endless"), TEXT(endless), NULL, 0, &error));
    hljs_loaded_sandbox *loaded;
    MUST(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error));

    handle(loaded, "hello", "{\"name\":\"World\"}", NULL);
    handle(loaded, "order", "[\"apple\",\"plum\"]", NULL);
    printf("calls of the host function: %d\n", calls);

    // A guest that was stopped leaves a poisoned sandbox: one to restore, unload or free.
    hljs_snapshot *clean;
    MUST(hljs_loaded_sandbox_snapshot(loaded, &clean, &error));
    hljs_monitor *limit;
    MUST(hljs_monitor_new_wall_clock(100 * 1000000, &limit, &error)); // in nanoseconds
    handle(loaded, "endless", "null", limit);
    handle(loaded, "hello", "{\"name\":\"nobody\"}", NULL);
    MUST(hljs_loaded_sandbox_restore(loaded, clean, &error));
    handle(loaded, "hello", "{\"name\":\"World, again\"}", NULL);

    hljs_monitor_free(limit);
    hljs_snapshot_free(clean);
    hljs_loaded_sandbox_free(loaded);
    hljs_sandbox_free(sandbox);
    hljs_proto_sandbox_free(proto);
    hljs_builder_free(builder);
    return EXIT_SUCCESS;
}
