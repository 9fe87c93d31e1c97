// The warm call of bench/, on the C ABI. See ../README.md.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../capi/hyperlight_js.h"

enum { WARM_UP = 200, CALLS = 1000 };

// Ends the program when the call failed. `error` is a pointer so that it is read after the call.
static void check(hljs_code code, hljs_error **error) {
    if (code == HLJS_CODE_OK) return;
    const uint8_t *text;
    size_t len;
    hljs_error_message(*error, &text, &len);
    fprintf(stderr, "code %u: %.*s\n", (unsigned)code, (int)len, (const char *)text);
    exit(1);
}

static void run(const hljs_loaded_sandbox *loaded, int calls, bool gc) {
    static const char name[] = "handler", event[] = "{\"a\":1}";
    for (int i = 0; i < calls; i++) {
        hljs_error *error = NULL;
        uint8_t *result;
        size_t len;
        check(hljs_loaded_sandbox_handle_event(loaded, (const uint8_t *)name, strlen(name),
                                               (const uint8_t *)event, strlen(event), gc, NULL, 0, NULL, &result,
                                               &len, &error),
              &error);
        hljs_buffer_free(result, len);
    }
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
    hljs_error *error = NULL;
    hljs_builder *builder;
    check(hljs_builder_new(&builder, &error), &error);
    check(hljs_builder_set_heap_size(builder, 8 << 20, &error), &error);
    check(hljs_builder_set_scratch_size(builder, 16 << 20, &error), &error);
    check(hljs_builder_set_input_buffer_size(builder, 1 << 20, &error), &error);
    check(hljs_builder_set_output_buffer_size(builder, 1 << 20, &error), &error);
    hljs_proto_sandbox *proto;
    check(hljs_builder_build(builder, &proto, &error), &error);
    hljs_sandbox *sandbox;
    check(hljs_proto_sandbox_load_runtime(proto, &sandbox, &error), &error);
    static const char name[] = "handler", script[] = "function handler(event) { return event; }";
    check(hljs_sandbox_add_handler(sandbox, (const uint8_t *)name, strlen(name),
                                   (const uint8_t *)script, strlen(script), NULL, 0, &error),
          &error);
    hljs_loaded_sandbox *loaded;
    check(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error), &error);

    for (int gc = 0; gc <= 1; gc++) {
        run(loaded, WARM_UP, gc);
        long long start = now();
        run(loaded, CALLS, gc);
        printf("c gc=%s %lld\n", gc ? "true" : "false", (now() - start) / CALLS);
    }

    hljs_loaded_sandbox_free(loaded);
    hljs_sandbox_free(sandbox);
    hljs_proto_sandbox_free(proto);
    hljs_builder_free(builder);
    return 0;
}
