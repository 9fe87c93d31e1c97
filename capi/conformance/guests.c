#include "guests.h"

#include <stdio.h>
#include <string.h>

const char may_spin[] =
    "let calls = 0;\n"
    "function handler(event) { calls++; if (event.spin) { console.log('here'); for (;;) {} } return calls; }";

static hljs_proto_sandbox *build(hljs_builder *builder) {
    hljs_proto_sandbox *proto = NULL;
    const hljs_code code = hljs_builder_build(builder, &proto, NULL);
    CHECK(code == HLJS_CODE_OK || code == HLJS_CODE_NO_HYPERVISOR);
    hljs_builder_free(builder);
    return proto;
}

hljs_proto_sandbox *new_proto(void) {
    hljs_builder *builder = NULL;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    return build(builder);
}

static void on_print(void *user_data, const uint8_t *text, size_t len) {
    struct beacon *beacon = (struct beacon *)user_data;
    (void)text, (void)len;
    pthread_mutex_lock(&beacon->mutex);
    beacon->prints++;
    pthread_cond_broadcast(&beacon->lit);
    pthread_mutex_unlock(&beacon->mutex);
}

hljs_proto_sandbox *new_proto_with(struct beacon *beacon) {
    hljs_builder *builder = NULL;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    SUCCEEDS(hljs_builder_set_print(builder, on_print, beacon, NULL, &error));
    return build(builder);
}

void make_beacon(struct beacon *beacon) {
    CHECK(pthread_mutex_init(&beacon->mutex, NULL) == 0 && pthread_cond_init(&beacon->lit, NULL) == 0);
    beacon->prints = 0;
}

void free_beacon(struct beacon *beacon) {
    pthread_cond_destroy(&beacon->lit);
    pthread_mutex_destroy(&beacon->mutex);
}

void wait_for(struct beacon *beacon, int prints) {
    pthread_mutex_lock(&beacon->mutex);
    while (beacon->prints < prints) {
        pthread_cond_wait(&beacon->lit, &beacon->mutex);
    }
    pthread_mutex_unlock(&beacon->mutex);
}

hljs_sandbox *boot(hljs_proto_sandbox *proto) {
    hljs_sandbox *sandbox = NULL;
    SUCCEEDS(hljs_proto_sandbox_load_runtime(proto, &sandbox, &error));
    hljs_proto_sandbox_free(proto);
    return sandbox;
}

hljs_loaded_sandbox *load_script(hljs_proto_sandbox *proto, const char *script) {
    hljs_loaded_sandbox *loaded = NULL;
    hljs_sandbox *sandbox = boot(proto);
    add(sandbox, "handler", script);
    SUCCEEDS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error));
    hljs_sandbox_free(sandbox);
    return loaded;
}

void check_status(const hljs_sandbox *sandbox, hljs_status expected) {
    hljs_status status = (hljs_status)77;
    SUCCEEDS(hljs_sandbox_status(sandbox, &status, &error));
    CHECK(status == expected);
}

void check_loaded_status(const hljs_loaded_sandbox *loaded, hljs_status expected) {
    hljs_status status = (hljs_status)77;
    SUCCEEDS(hljs_loaded_sandbox_status(loaded, &status, &error));
    CHECK(status == expected);
}

void add(const hljs_sandbox *sandbox, const char *name, const char *script) {
    SUCCEEDS(hljs_sandbox_add_handler(sandbox, TEXT(name), TEXT(script), NULL, 0, &error));
}

void handle(const hljs_loaded_sandbox *loaded, const char *name, const uint8_t *event, size_t len, uint32_t gc,
                   const char *expected) {
    uint8_t *result = NULL;
    size_t result_len = 0;
    SUCCEEDS(hljs_loaded_sandbox_handle_event(loaded, TEXT(name), event, len, gc, NULL, 0, NULL, &result,
                                              &result_len, &error));
    if (!same_text(result, result_len, expected)) {
        check(0, expected, __FILE__, __LINE__);
        fprintf(stderr, "    the result is %.*s\n", (int)result_len, (const char *)result);
    }
    hljs_buffer_free(result, result_len);
}

void fails(const hljs_loaded_sandbox *loaded, const char *name, const uint8_t *event, size_t len,
                  hljs_code code) {
    uint8_t *result = (uint8_t *)untouched();
    size_t result_len = 7;
    FAILS(hljs_loaded_sandbox_handle_event(loaded, TEXT(name), event, len, 0, NULL, 0, NULL, &result,
                                           &result_len, &error),
          code, NULL);
    CHECK(result == untouched() && result_len == 7);
    CHECK(hljs_loaded_sandbox_handle_event(loaded, TEXT(name), event, len, 0, NULL, 0, NULL, &result,
                                           &result_len, NULL) == code);
}

void answers(const hljs_loaded_sandbox *loaded, const char *event, const char *expected) {
    handle(loaded, "handler", TEXT(event), 0, expected);
}

void is_stopped(const hljs_loaded_sandbox *loaded, const char *event, const hljs_monitor *const *monitors, size_t len,
                const hljs_context *context, const char *monitor) {
    uint8_t *result = (uint8_t *)untouched();
    size_t result_len = 7, name_len = 0;
    const uint8_t *name = NULL;
    hljs_error *error = NULL;
    CHECK(hljs_loaded_sandbox_handle_event(loaded, BYTES("handler"), TEXT(event), 0, monitors, len, context, &result,
                                           &result_len, &error) == HLJS_CODE_CANCELLED);
    CHECK(result == untouched() && result_len == 7);
    CHECK(hljs_error_code(error) == HLJS_CODE_CANCELLED);
    hljs_error_monitor(error, &name, &name_len);
    hljs_error_free(error);
    CHECK(same_text(name, name_len, monitor)); // It outlives the error.
    check_loaded_status(loaded, HLJS_STATUS_POISONED);
}
