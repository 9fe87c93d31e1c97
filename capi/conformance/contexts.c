// Contexts, which stop the calls that run under them, and keep later ones from running.

#include "guests.h"
#include "parts.h"

#include <string.h>
#include <time.h>

static hljs_context *new_context(void) {
    hljs_context *context = NULL;
    SUCCEEDS(hljs_context_new(&context, &error));
    return context;
}

void contexts_without_guest(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    hljs_context *context = new_context();
    FAILS(hljs_context_new(NULL, &error), invalid, "context is NULL");
    FAILS(hljs_context_cancel(NULL, &error), invalid, "context is NULL");
    FAILS(hljs_context_reset(NULL, &error), invalid, "context is NULL");
    SUCCEEDS(hljs_context_reset(context, &error));
    SUCCEEDS(hljs_context_cancel(context, &error));
    SUCCEEDS(hljs_context_cancel(context, &error));
    SUCCEEDS(hljs_context_reset(context, &error));
    hljs_context_free(context);
    hljs_context_free(NULL);
}

// What another thread needs to end a context as soon as the guest runs.
struct ending {
    hljs_context *context;
    struct beacon beacon;
    int prints; // of guests, before the context ends
    int frees;  // whether it is freed, and not cancelled
};

static void make_ending(struct ending *ending) {
    ending->context = new_context();
    make_beacon(&ending->beacon);
    ending->prints = ending->frees = 0;
}

static void free_ending(struct ending *ending) {
    if (!ending->frees) {
        hljs_context_free(ending->context);
    }
    free_beacon(&ending->beacon);
}

static void *end_it(void *argument) {
    struct ending *ending = (struct ending *)argument;
    const struct timespec pause = {0, 20000000};
    wait_for(&ending->beacon, ending->prints);
    nanosleep(&pause, NULL);
    if (ending->frees) {
        hljs_context_free(ending->context);
    } else {
        SUCCEEDS(hljs_context_cancel(ending->context, &error));
    }
    return NULL;
}

// The thread that ends it once the guests have printed that often from now on.
static pthread_t soon(struct ending *ending, int prints) {
    ending->prints = ending->beacon.prints + prints;
    return start_thread(end_it, ending);
}

// A call under a cancelled context does not run, and a sandbox is not loaded.
static void is_refused(const hljs_loaded_sandbox *loaded, const hljs_context *context) {
    uint8_t *result = (uint8_t *)untouched();
    size_t len = 7;
    FAILS(hljs_loaded_sandbox_handle_event(loaded, BYTES("handler"), BYTES("{}"), 0, NULL, 0, context, &result, &len,
                                           &error),
          HLJS_CODE_CONTEXT_CANCELLED, "the context was cancelled before the guest could run");
    CHECK(result == untouched() && len == 7);
}

static void load_is_refused(const hljs_sandbox *sandbox, const hljs_context *context) {
    hljs_loaded_sandbox *loaded = (hljs_loaded_sandbox *)untouched();
    FAILS(hljs_sandbox_get_loaded_sandbox(sandbox, context, &loaded, &error), HLJS_CODE_CONTEXT_CANCELLED, NULL);
    CHECK(loaded == untouched());
    check_status(sandbox, HLJS_STATUS_READY);
}

static void answers_under(const hljs_loaded_sandbox *loaded, const hljs_context *context, const char *event,
                          const char *expected) {
    uint8_t *result = NULL;
    size_t len = 0;
    SUCCEEDS(hljs_loaded_sandbox_handle_event(loaded, BYTES("handler"), TEXT(event), 0, NULL, 0, context, &result, &len,
                                              &error));
    CHECK(same_text(result, len, expected));
    hljs_buffer_free(result, len);
}

// Before a call, during one, after it, and after a reset.
static void calls(void) {
    struct ending ending;
    hljs_loaded_sandbox *loaded;
    hljs_snapshot *snapshot = NULL;
    pthread_t thread;
    make_ending(&ending);
    loaded = load_script(new_proto_with(&ending.beacon), may_spin);
    SUCCEEDS(hljs_loaded_sandbox_snapshot(loaded, &snapshot, &error));

    SUCCEEDS(hljs_context_cancel(ending.context, &error));
    is_refused(loaded, ending.context);
    check_loaded_status(loaded, HLJS_STATUS_READY);
    answers(loaded, "{}", "1"); // Without it, and it was not counted before.
    SUCCEEDS(hljs_context_reset(ending.context, &error));
    answers_under(loaded, ending.context, "{}", "2");

    thread = soon(&ending, 1);
    is_stopped(loaded, "{\"spin\":true}", NULL, 0, ending.context, "context");
    join_thread(thread);
    is_refused(loaded, ending.context); // It says so before it looks at the sandbox.
    SUCCEEDS(hljs_loaded_sandbox_restore(loaded, snapshot, &error));
    is_refused(loaded, ending.context);
    SUCCEEDS(hljs_context_reset(ending.context, &error));
    answers_under(loaded, ending.context, "{}", "1");
    SUCCEEDS(hljs_context_cancel(ending.context, &error));
    answers(loaded, "{}", "2"); // Nothing is left of it.

    hljs_snapshot_free(snapshot);
    hljs_loaded_sandbox_free(loaded);
    free_ending(&ending);
}

// The first load of a sandbox, which nothing else could stop.
static void loads(void) {
    struct ending ending;
    hljs_loaded_sandbox *loaded = (hljs_loaded_sandbox *)untouched();
    hljs_sandbox *sandbox;
    hljs_error *error = NULL;
    const uint8_t *name = NULL;
    size_t len = 0;
    pthread_t thread;
    make_ending(&ending);
    sandbox = boot(new_proto_with(&ending.beacon));
    add(sandbox, "handler", "console.log('here'); for (;;) {} function handler() {}");
    SUCCEEDS(hljs_context_cancel(ending.context, &error));
    load_is_refused(sandbox, ending.context);
    CHECK(ending.beacon.prints == 0);
    SUCCEEDS(hljs_context_reset(ending.context, &error));

    thread = soon(&ending, 1);
    CHECK(hljs_sandbox_get_loaded_sandbox(sandbox, ending.context, &loaded, &error) == HLJS_CODE_CANCELLED);
    join_thread(thread);
    CHECK(loaded == untouched());
    hljs_error_monitor(error, &name, &len);
    CHECK(same_text(name, len, "context"));
    hljs_error_free(error);
    check_status(sandbox, HLJS_STATUS_CONSUMED);
    hljs_sandbox_free(sandbox);
    free_ending(&ending);
}

// A call on a thread of its own.
struct calling {
    hljs_loaded_sandbox *loaded;
    const hljs_context *context;
};

static void *is_stopped_there(void *argument) {
    const struct calling *calling = (const struct calling *)argument;
    is_stopped(calling->loaded, "{\"spin\":true}", NULL, 0, calling->context, "context");
    return NULL;
}

// One context stops all calls under it.
static void two_sandboxes(void) {
    struct ending ending;
    struct calling calling[2];
    pthread_t thread, callers[2];
    size_t i;
    make_ending(&ending);
    for (i = 0; i < 2; i++) {
        calling[i].loaded = load_script(new_proto_with(&ending.beacon), may_spin);
        calling[i].context = ending.context;
    }
    thread = soon(&ending, 2);
    for (i = 0; i < 2; i++) callers[i] = start_thread(is_stopped_there, &calling[i]);
    for (i = 0; i < 2; i++) join_thread(callers[i]);
    join_thread(thread);
    for (i = 0; i < 2; i++) hljs_loaded_sandbox_free(calling[i].loaded);
    free_ending(&ending);
}

// A call goes on when its context is freed.
static void freed_meanwhile(void) {
    struct ending ending;
    hljs_loaded_sandbox *loaded;
    pthread_t thread;
    make_ending(&ending);
    loaded = load_script(new_proto_with(&ending.beacon),
                         "function handler(event) { console.log('here'); const end = Date.now() + event;"
                         " while (Date.now() < end) {} return 'done'; }");
    ending.frees = 1;
    thread = soon(&ending, 1);
    answers_under(loaded, ending.context, "100", "\"done\"");
    join_thread(thread);
    answers(loaded, "0", "\"done\"");
    hljs_loaded_sandbox_free(loaded);
    free_ending(&ending);
}

void contexts_with_guest(void) {
    calls();
    loads();
    two_sandboxes();
    freed_meanwhile();
}
