// Batches: many events in one call.

#include "guests.h"
#include "parts.h"

#include <string.h>

// Events as lists of pointers and lengths.
struct events {
    const uint8_t *starts[8];
    size_t lens[8], len;
};

static struct events none(void) {
    struct events events;
    memset(&events, 0, sizeof events);
    return events;
}

static void append(struct events *events, const char *text) {
    events->starts[events->len] = (const uint8_t *)text;
    events->lens[events->len++] = strlen(text);
}

// What the calls below have in common.
struct batch_call {
    const hljs_loaded_sandbox *loaded;
    const hljs_monitor *const *monitors;
    size_t monitors_len;
    const hljs_context *context;
    uint32_t stop_on_error;
};

static struct batch_call plain(const hljs_loaded_sandbox *loaded) {
    struct batch_call call;
    memset(&call, 0, sizeof call);
    call.loaded = loaded;
    return call;
}

static hljs_batch *run(const struct batch_call *call, const struct events *events) {
    hljs_batch *batch = NULL;
    SUCCEEDS(hljs_loaded_sandbox_handle_events(call->loaded, BYTES("handler"), events->starts, events->lens,
                                               events->len, 0, call->stop_on_error, NULL, 0, call->monitors,
                                               call->monitors_len, call->context, &batch, &error));
    return batch;
}

// What hljs_batch_results gives.
struct results {
    const uint8_t *text;
    size_t text_len, done;
    const size_t *lens;
    const hljs_error *const *errors;
    const hljs_error *end;
};

static struct results results_of(const hljs_batch *batch) {
    struct results results;
    memset(&results, 0x77, sizeof results);
    hljs_batch_results(batch, &results.text, &results.text_len, &results.lens, &results.errors, &results.done,
                       &results.end);
    hljs_batch_results(batch, NULL, NULL, NULL, NULL, NULL, NULL);
    return results;
}

// Checks how many events were taken up, their results one behind the other, and the code of the end.
static struct results check_results(const hljs_batch *batch, size_t done, const char *text, hljs_code end) {
    const struct results results = results_of(batch);
    size_t total = 0, i;
    CHECK(results.done == done);
    CHECK(same_text(results.text, results.text_len, text));
    CHECK(hljs_error_code(results.end) == end);
    for (i = 0; i < results.done; i++) {
        total += results.lens[i];
        CHECK(results.errors[i] == NULL || results.lens[i] == 0);
    }
    CHECK(total == results.text_len);
    return results;
}

static void check_message(const hljs_error *error, const char *expected) {
    const uint8_t *text = NULL;
    size_t len = 0;
    hljs_error_message(error, &text, &len);
    CHECK(contains(text, len, expected));
}

static void check_stats(const hljs_batch *batch, uint64_t expected_calls, const char *terminated_by) {
    uint64_t calls = 77, wall = 77, cpu = 77;
    uint32_t has_cpu = 77;
    const uint8_t *name = (const uint8_t *)untouched();
    size_t len = 77;
    hljs_batch_stats(batch, &calls, &wall, &cpu, &has_cpu, &name, &len);
    CHECK(calls == expected_calls);
    CHECK(has_cpu == (expected_calls > 0) && (wall > 0) == (expected_calls > 0) && (cpu > 0) == (expected_calls > 0));
    CHECK(same_text(name, len, terminated_by));
    hljs_batch_stats(batch, NULL, NULL, NULL, NULL, NULL, NULL);
}

void batches_without_guest(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    struct events events = none();
    hljs_batch *batch = (hljs_batch *)untouched();
    hljs_monitor *monitor = NULL;
    const hljs_monitor *list[5];
    size_t i;
    append(&events, "1");
    SUCCEEDS(hljs_monitor_new_wall_clock(UINT64_MAX, &monitor, &error));
    for (i = 0; i < 5; i++) list[i] = monitor;
#define CALL(name, starts, lens, len, monitors, monitors_len, batch_monitors, batch_monitors_len, batch)              \
    hljs_loaded_sandbox_handle_events(NULL, name, starts, lens, len, 0, 0, monitors, monitors_len, batch_monitors,     \
                                      batch_monitors_len, NULL, batch, &error)
    FAILS(CALL(BYTES("name"), events.starts, events.lens, 1, NULL, 0, NULL, 0, &batch), invalid, "loaded is NULL");
    FAILS(CALL(BYTES("name"), NULL, NULL, 0, list, 2, list, 3, &batch), invalid, "loaded is NULL");
    FAILS(CALL(BYTES("name"), events.starts, events.lens, 1, NULL, 0, NULL, 0, NULL), invalid, "batch is NULL");
    FAILS(CALL(BYTES("a\xff"), events.starts, events.lens, 1, NULL, 0, NULL, 0, &batch), invalid,
          "the handler name is not UTF-8: invalid byte at offset 1");
    FAILS(CALL(BYTES("name"), NULL, events.lens, 1, NULL, 0, NULL, 0, &batch), invalid,
          "events is NULL, but its length is 1");
    FAILS(CALL(BYTES("name"), events.starts, NULL, 1, NULL, 0, NULL, 0, &batch), invalid,
          "event_lens is NULL, but its length is 1");
    FAILS(CALL(BYTES("name"), events.starts, events.lens, SIZE_MAX, NULL, 0, NULL, 0, &batch), invalid, NULL);
    FAILS(CALL(BYTES("name"), events.starts, events.lens, 1, list, 3, list, 3, &batch), invalid,
          "there are 6 monitors, but a call takes at most 5");
    FAILS(CALL(BYTES("name"), events.starts, events.lens, 1, NULL, 0, list, SIZE_MAX, &batch), invalid, NULL);
    FAILS(CALL(BYTES("name"), events.starts, events.lens, 1, NULL, 1, NULL, 0, &batch), invalid,
          "monitors is NULL, but its length is 1");
    list[1] = NULL;
    FAILS(CALL(BYTES("name"), events.starts, events.lens, 1, NULL, 0, list, 2, &batch), invalid,
          "batch_monitors[1] is NULL");
#undef CALL
    CHECK(batch == untouched());
    CHECK(hljs_loaded_sandbox_current_event(NULL) == 0);
    check_results(NULL, 0, "", HLJS_CODE_OK);
    check_stats(NULL, 0, "");
    hljs_batch_free(NULL);
    hljs_monitor_free(monitor);
}

// What "act" has seen, and what it does with "stop".
struct actor {
    const hljs_loaded_sandbox *loaded;
    const hljs_context *context;
    uint64_t indexes;
    int calls;
};

// Notes the indexes of the events, a decimal digit for each.
static void act(void *user_data, const hljs_host_call *call, const uint8_t *args, size_t args_len,
                const uint8_t *blobs, size_t blobs_len) {
    struct actor *actor = (struct actor *)user_data;
    (void)call, (void)blobs, (void)blobs_len;
    actor->calls++;
    actor->indexes = actor->indexes * 10 + hljs_loaded_sandbox_current_event(actor->loaded);
    if (contains(args, args_len, "stop")) SUCCEEDS(hljs_context_cancel(actor->context, &error));
}

static const char script[] =
    "import * as host from 'host';\n"
    "function handler(event) {\n"
    "  host.act(event);\n"
    "  if (event === 'throw') throw new Error('thrown');\n"
    "  while (event === 'stop' || event === 'spin') {}\n"
    "  return event;\n"
    "}\n";

// Failures are those of their events, and everything outlives the sandbox's next calls.
static void events_fail(const struct batch_call *call, struct actor *actor) {
    struct batch_call stopping = *call;
    struct events events = none();
    struct results results;
    hljs_batch *batch, *stopped;
    append(&events, "[1]");
    append(&events, "\"throw\"");
    append(&events, "{");
    append(&events, "\"\xff\"");
    append(&events, "2");
    events.len++; // (NULL, 0)
    actor->indexes = 0;
    batch = run(call, &events);
    CHECK(actor->indexes == 14 && hljs_loaded_sandbox_current_event(call->loaded) == 5);
    stopping.stop_on_error = 1;
    stopped = run(&stopping, &events);

    results = check_results(batch, 6, "[1]2", HLJS_CODE_OK);
    CHECK(results.lens[0] == 3 && results.lens[4] == 1);
    CHECK(results.errors[0] == NULL && results.errors[4] == NULL);
    CHECK(hljs_error_code(results.errors[1]) == HLJS_CODE_JS_EXCEPTION);
    check_message(results.errors[1], "thrown");
    CHECK(hljs_error_code(results.errors[2]) == HLJS_CODE_INVALID_JSON);
    check_message(results.errors[3], "the event is not UTF-8: invalid byte at offset 1");
    CHECK(hljs_error_code(results.errors[5]) == HLJS_CODE_INVALID_JSON);
    check_stats(batch, 3, "");
    hljs_batch_free(batch);

    results = check_results(stopped, 2, "[1]", HLJS_CODE_JS_EXCEPTION);
    CHECK(results.end == results.errors[1]);
    hljs_batch_free(stopped);
    check_loaded_status(call->loaded, HLJS_STATUS_READY);
}

// Without a name nothing runs, and without events there is nothing to run.
static void nothing_runs(const struct batch_call *call) {
    struct events events = none();
    hljs_batch *batch = (hljs_batch *)untouched();
    append(&events, "1");
    FAILS(hljs_loaded_sandbox_handle_events(call->loaded, NULL, 0, events.starts, events.lens, 1, 0, 0, NULL, 0, NULL, 0,
                                            NULL, &batch, &error),
          HLJS_CODE_INVALID_ARGUMENT, "the handler name is empty");
    CHECK(batch == untouched());
    events.len = 0;
    batch = run(call, &events);
    check_results(batch, 0, "", HLJS_CODE_OK);
    check_stats(batch, 0, "");
    hljs_batch_free(batch);
}

// A context that is cancelled stops an event; before the batch, it keeps all from being taken up.
static void contexts(const struct batch_call *call, struct actor *actor, const hljs_snapshot *snapshot) {
    struct batch_call under = *call;
    struct events events = none();
    struct results results;
    hljs_context *context = NULL;
    hljs_batch *batch;
    const uint8_t *name = NULL;
    size_t len = 0;
    int i;
    SUCCEEDS(hljs_context_new(&context, &error));
    under.context = actor->context = context;
    append(&events, "1");
    append(&events, "\"stop\"");
    append(&events, "3");
    batch = run(&under, &events);
    results = check_results(batch, 2, "1", HLJS_CODE_CANCELLED);
    CHECK(results.end == results.errors[1]);
    hljs_error_monitor(results.end, &name, &len);
    CHECK(same_text(name, len, "context"));
    check_loaded_status(call->loaded, HLJS_STATUS_POISONED);
    hljs_batch_free(batch);

    // Whatever the context says, a sandbox that is poisoned takes no events.
    batch = run(call, &events);
    check_results(batch, 0, "", HLJS_CODE_POISONED);
    hljs_batch_free(batch);
    SUCCEEDS(hljs_loaded_sandbox_restore(call->loaded, snapshot, &error));
    for (i = 0; i < 2; i++) {
        batch = run(&under, &events);
        check_results(batch, 0, "", HLJS_CODE_CONTEXT_CANCELLED);
        hljs_batch_free(batch);
    }
    SUCCEEDS(hljs_context_reset(context, &error));
    events.starts[1] = events.starts[0], events.lens[1] = events.lens[0];
    batch = run(&under, &events);
    check_results(batch, 3, "113", HLJS_CODE_OK);
    hljs_batch_free(batch);
    hljs_context_free(context);
}

static void monitors(const struct batch_call *call, const hljs_snapshot *snapshot) {
    struct batch_call under = *call;
    struct events events = none();
    struct results results;
    hljs_monitor *trigger = NULL, *cpu = NULL;
    const hljs_monitor *list[2];
    hljs_batch *batch;
    SUCCEEDS(hljs_monitor_new_trigger(TEXT(trigger_name), &trigger, &error));
    SUCCEEDS(hljs_monitor_new_cpu_time(500000000, &cpu, &error));
    list[0] = trigger;
    list[1] = cpu;
    under.monitors = list;
    under.monitors_len = 2;
    append(&events, "1");
    append(&events, "2");
    SUCCEEDS(hljs_monitor_fire(trigger, &error));
    batch = run(&under, &events);
    check_results(batch, 0, "", HLJS_CODE_CANCELLED);
    check_stats(batch, 0, trigger_name);
    hljs_batch_free(batch);
    SUCCEEDS(hljs_monitor_reset(trigger, &error));

    append(&events, "\"spin\"");
    append(&events, "3");
    batch = run(&under, &events);
    results = check_results(batch, 3, "12", HLJS_CODE_CANCELLED);
    CHECK(results.end == results.errors[2]);
    check_stats(batch, 3, "cpu-time");
    hljs_batch_free(batch);
    SUCCEEDS(hljs_loaded_sandbox_restore(call->loaded, snapshot, &error));
    hljs_monitor_free(trigger);
    hljs_monitor_free(cpu);
}

void batches_with_guest(void) {
    hljs_proto_sandbox *proto = new_proto();
    hljs_loaded_sandbox *loaded;
    hljs_snapshot *snapshot = NULL;
    struct actor actor;
    struct batch_call call;
    memset(&actor, 0, sizeof actor);
    SUCCEEDS(hljs_proto_sandbox_register(proto, BYTES("host"), BYTES("act"), act, &actor, NULL, &error));
    actor.loaded = loaded = load_script(proto, script);
    call = plain(loaded);
    events_fail(&call, &actor);
    nothing_runs(&call);
    SUCCEEDS(hljs_loaded_sandbox_snapshot(loaded, &snapshot, &error));
    contexts(&call, &actor, snapshot);
    monitors(&call, snapshot);
    hljs_snapshot_free(snapshot);
    hljs_loaded_sandbox_free(loaded);
}
