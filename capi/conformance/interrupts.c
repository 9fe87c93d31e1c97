// Interrupt handles, which stop a guest from another thread.

#include "guests.h"
#include "parts.h"

#include <time.h>

void interrupts_without_guest(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    hljs_interrupt_handle *handle = (hljs_interrupt_handle *)untouched();
    uint32_t flag = 77;
    const uint8_t *text = (const uint8_t *)untouched();
    size_t len = 7;
    FAILS(hljs_loaded_sandbox_interrupt_handle(NULL, &handle, &error), invalid, "loaded is NULL");
    FAILS(hljs_loaded_sandbox_interrupt_handle(NULL, NULL, &error), invalid, "handle is NULL");
    CHECK(handle == untouched());
    FAILS(hljs_interrupt_handle_kill(NULL, &flag, &error), invalid, "handle is NULL");
    FAILS(hljs_interrupt_handle_kill(NULL, NULL, &error), invalid, "sent is NULL");
    FAILS(hljs_interrupt_handle_dropped(NULL, &flag, &error), invalid, "handle is NULL");
    FAILS(hljs_interrupt_handle_dropped(NULL, NULL, &error), invalid, "dropped is NULL");
    CHECK(flag == 77);
    hljs_interrupt_handle_free(NULL);
    hljs_error_monitor(NULL, &text, &len);
    CHECK(text == NULL && len == 0);
    hljs_error_monitor(NULL, NULL, NULL);
}

struct killing {
    const hljs_interrupt_handle *handle;
    struct beacon beacon;
    int prints; // of the guest, before it is killed
};

static void *kill_it(void *argument) {
    struct killing *killing = (struct killing *)argument;
    const struct timespec pause = {0, 20000000};
    uint32_t sent = 77;
    wait_for(&killing->beacon, killing->prints);
    nanosleep(&pause, NULL);
    SUCCEEDS(hljs_interrupt_handle_kill(killing->handle, &sent, &error));
    CHECK(sent <= 1);
    return NULL;
}

static void is_killed(const hljs_loaded_sandbox *loaded, struct killing *killing) {
    pthread_t thread;
    killing->prints = killing->beacon.prints + 1;
    thread = start_thread(kill_it, killing);
    is_stopped(loaded, "{\"spin\":true}", NULL, 0, NULL, "interrupt");
    join_thread(thread);
}

static hljs_interrupt_handle *handle_of(const hljs_loaded_sandbox *loaded) {
    hljs_interrupt_handle *handle = NULL;
    SUCCEEDS(hljs_loaded_sandbox_interrupt_handle(loaded, &handle, &error));
    return handle;
}

static void check_dropped(const hljs_interrupt_handle *handle, uint32_t expected) {
    uint32_t dropped = 77;
    SUCCEEDS(hljs_interrupt_handle_dropped(handle, &dropped, &error));
    CHECK(dropped == expected);
}

static void kill_nothing(const hljs_interrupt_handle *handle) {
    uint32_t sent = 77;
    SUCCEEDS(hljs_interrupt_handle_kill(handle, &sent, &error));
    CHECK(sent == 0);
}

void interrupts_with_guest(void) {
    struct killing killing;
    hljs_loaded_sandbox *loaded, *again = NULL;
    hljs_sandbox *sandbox = NULL;
    hljs_interrupt_handle *handle, *late;
    make_beacon(&killing.beacon);
    loaded = load_script(new_proto_with(&killing.beacon), may_spin);
    killing.handle = handle = handle_of(loaded);
    kill_nothing(handle);
    answers(loaded, "{}", "1"); // A kill of nothing does not stop what comes later.
    check_dropped(handle, 0);
    is_killed(loaded, &killing);
    kill_nothing(handle);

    SUCCEEDS(hljs_loaded_sandbox_unload(loaded, &sandbox, &error));
    late = handle_of(loaded); // A consumed sandbox still gives one.
    hljs_loaded_sandbox_free(loaded);
    add(sandbox, "handler", may_spin);
    SUCCEEDS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &again, &error));
    hljs_sandbox_free(sandbox);
    check_dropped(handle, 0);
    answers(again, "{}", "1");
    is_killed(again, &killing); // The micro-VM is the same, and so is the handle.

    hljs_loaded_sandbox_free(again);
    check_dropped(handle, 1);
    check_dropped(late, 1);
    kill_nothing(handle);
    hljs_interrupt_handle_free(handle);
    hljs_interrupt_handle_free(late);
    free_beacon(&killing.beacon);
}
