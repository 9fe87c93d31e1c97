// Monitors and triggers, which end calls that go too far, and what a call took.

#include "guests.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char trigger_name[] = "trigger-0";

static const uint64_t soon = 50000000, never = UINT64_MAX; // nanoseconds

static hljs_monitor *wall_clock(uint64_t nanoseconds) {
    hljs_monitor *monitor = NULL;
    SUCCEEDS(hljs_monitor_new_wall_clock(nanoseconds, &monitor, &error));
    return monitor;
}

static hljs_monitor *cpu_time(uint64_t nanoseconds) {
    hljs_monitor *monitor = NULL;
    SUCCEEDS(hljs_monitor_new_cpu_time(nanoseconds, &monitor, &error));
    return monitor;
}

static hljs_monitor *trigger(void) {
    hljs_monitor *monitor = NULL;
    SUCCEEDS(hljs_monitor_new_trigger(TEXT(trigger_name), &monitor, &error));
    return monitor;
}

static void check_name(const hljs_monitor *monitor, const char *expected) {
    const uint8_t *text = (const uint8_t *)untouched();
    size_t len = 7;
    hljs_monitor_name(monitor, &text, &len);
    CHECK(same_text(text, len, expected));
    hljs_monitor_name(monitor, NULL, &len);
    hljs_monitor_name(monitor, &text, NULL);
    hljs_monitor_name(monitor, NULL, NULL);
}

static void limits(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    const char *no_trigger = "the monitor is not a trigger";
    hljs_monitor *none = (hljs_monitor *)untouched(), *wall, *cpu;
    FAILS(hljs_monitor_new_wall_clock(0, &none, &error), invalid, "timeout must be non-zero");
    FAILS(hljs_monitor_new_cpu_time(0, &none, &error), invalid, "cpu_timeout must be non-zero");
    CHECK(none == untouched());
    FAILS(hljs_monitor_new_wall_clock(1, NULL, &error), invalid, "monitor is NULL");
    FAILS(hljs_monitor_new_cpu_time(1, NULL, &error), invalid, "monitor is NULL");
    wall = wall_clock(1);
    cpu = cpu_time(never);
    check_name(wall, "wall-clock");
    check_name(cpu, "cpu-time");
    check_name(NULL, "");
    FAILS(hljs_monitor_fire(wall, &error), invalid, no_trigger);
    FAILS(hljs_monitor_reset(cpu, &error), invalid, no_trigger);
    hljs_monitor_free(wall);
    hljs_monitor_free(cpu);
    hljs_monitor_free(NULL);
}

static void refused_triggers(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    static const char *const reserved[] = {"wall-clock", "cpu-time", "interrupt", "context"};
    uint8_t long_name[65];
    hljs_monitor *none = (hljs_monitor *)untouched();
    size_t i;
    memset(long_name, 'x', sizeof long_name);
    FAILS(hljs_monitor_new_trigger(NULL, 0, &none, &error), invalid,
          "the trigger name has 0 bytes; it must have 1 to 64");
    FAILS(hljs_monitor_new_trigger(long_name, sizeof long_name, &none, &error), invalid,
          "the trigger name has 65 bytes; it must have 1 to 64");
    FAILS(hljs_monitor_new_trigger(NULL, 1, &none, &error), invalid, "the trigger name is NULL, but its length is 1");
    FAILS(hljs_monitor_new_trigger(long_name, SIZE_MAX, &none, &error), invalid, NULL);
    FAILS(hljs_monitor_new_trigger(BYTES("a\xff"), &none, &error), invalid,
          "the trigger name is not UTF-8: invalid byte at offset 1");
    for (i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        FAILS(hljs_monitor_new_trigger(TEXT(reserved[i]), &none, &error), invalid, NULL);
    }
    CHECK(none == untouched());
    FAILS(hljs_monitor_new_trigger(BYTES("x"), NULL, &error), invalid, "monitor is NULL");
    FAILS(hljs_monitor_fire(NULL, &error), invalid, "monitor is NULL");
    FAILS(hljs_monitor_reset(NULL, &error), invalid, "monitor is NULL");
}

// A process can use 64 names, each as often as it likes.
static void names(void) {
    hljs_monitor *none = (hljs_monitor *)untouched();
    int i, again;
    for (again = 0; again < 2; again++) {
        for (i = 0; i < 64; i++) {
            char name[32];
            hljs_monitor *monitor = NULL;
            snprintf(name, sizeof name, "trigger-%d", i);
            SUCCEEDS(hljs_monitor_new_trigger(TEXT(name), &monitor, &error));
            check_name(monitor, name);
            SUCCEEDS(hljs_monitor_fire(monitor, &error));
            SUCCEEDS(hljs_monitor_fire(monitor, &error));
            SUCCEEDS(hljs_monitor_reset(monitor, &error));
            SUCCEEDS(hljs_monitor_reset(monitor, &error));
            hljs_monitor_free(monitor);
        }
    }
    FAILS(hljs_monitor_new_trigger(BYTES("one more"), &none, &error), HLJS_CODE_TOO_MANY_TRIGGERS, NULL);
    CHECK(none == untouched());
}

// The list is checked before the sandbox.
static void lists(const hljs_loaded_sandbox *loaded, hljs_code expected, const char *message) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    hljs_monitor *monitor = wall_clock(never);
    const hljs_monitor *list[6];
    uint8_t *result = (uint8_t *)untouched();
    size_t len = 7, i;
    for (i = 0; i < 6; i++) list[i] = monitor;
#define CALL(list, count)                                                                                              \
    hljs_loaded_sandbox_handle_event(loaded, BYTES("nobody"), BYTES("1"), 0, list, count, NULL, &result, &len, &error)
    FAILS(CALL(list, 0), expected, message);
    FAILS(CALL(list, 5), expected, message);
    FAILS(CALL(list, 6), invalid, "there are 6 monitors, but a call takes at most 5");
    FAILS(CALL(list, SIZE_MAX), invalid, NULL);
    FAILS(CALL(NULL, 1), invalid, "monitors is NULL, but its length is 1");
    list[1] = NULL;
    FAILS(CALL(list, 2), invalid, "monitors[1] is NULL");
#undef CALL
    CHECK(result == untouched() && len == 7);
    hljs_monitor_free(monitor);
}

void monitors_without_guest(void) {
    limits();
    refused_triggers();
    names();
    lists(NULL, HLJS_CODE_INVALID_ARGUMENT, "loaded is NULL");
    FAILS(hljs_loaded_sandbox_last_call_stats(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &error),
          HLJS_CODE_INVALID_ARGUMENT, "loaded is NULL");
}

static void check_stats(const hljs_loaded_sandbox *loaded, uint64_t expected_calls, const char *terminated_by) {
    uint64_t calls = 77, wall = 77, cpu = 77;
    uint32_t has_cpu = 77;
    const uint8_t *name = (const uint8_t *)untouched();
    size_t len = 77;
    SUCCEEDS(hljs_loaded_sandbox_last_call_stats(loaded, &calls, &wall, &cpu, &has_cpu, &name, &len, &error));
    CHECK(calls == expected_calls);
    CHECK(has_cpu == (expected_calls > 0) && (wall > 0) == (expected_calls > 0) && (cpu > 0) == (expected_calls > 0));
    CHECK(same_text(name, len, terminated_by));
    SUCCEEDS(hljs_loaded_sandbox_last_call_stats(loaded, NULL, NULL, NULL, NULL, NULL, NULL, &error));
}

// Every monitor ends an endless loop, alone and among others; a snapshot helps the sandbox up again.
static void stops(const hljs_loaded_sandbox *loaded, const hljs_snapshot *snapshot) {
    hljs_monitor *wall = wall_clock(soon), *cpu = cpu_time(soon), *idle_wall = wall_clock(never),
                 *idle_cpu = cpu_time(never), *idle_trigger = trigger();
    const struct {
        const hljs_monitor *list[5];
        size_t len;
        const char *name;
    } sets[] = {
        {{wall, NULL, NULL, NULL, NULL}, 1, "wall-clock"},
        {{cpu, NULL, NULL, NULL, NULL}, 1, "cpu-time"},
        {{idle_wall, cpu, NULL, NULL, NULL}, 2, "cpu-time"},
        {{wall, idle_cpu, NULL, NULL, NULL}, 2, "wall-clock"},
        {{idle_wall, idle_wall, idle_cpu, idle_trigger, wall}, 5, "wall-clock"},
    };
    uint64_t calls = 0;
    size_t i;
    SUCCEEDS(hljs_loaded_sandbox_last_call_stats(loaded, &calls, NULL, NULL, NULL, NULL, NULL, &error));
    for (i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        is_stopped(loaded, "{\"spin\":true}", sets[i].list, sets[i].len, NULL, sets[i].name);
        check_stats(loaded, ++calls, sets[i].name);
        fails(loaded, "handler", BYTES("{}"), HLJS_CODE_POISONED);
        calls += 2; // It did so twice.
        SUCCEEDS(hljs_loaded_sandbox_restore(loaded, snapshot, &error));
        check_loaded_status(loaded, HLJS_STATUS_READY);
    }
    hljs_monitor_free(wall);
    hljs_monitor_free(cpu);
    hljs_monitor_free(idle_wall);
    hljs_monitor_free(idle_cpu);
    hljs_monitor_free(idle_trigger);
}

// What another thread needs to fire a trigger as soon as the guest runs.
struct firing {
    const hljs_monitor *trigger;
    struct beacon beacon;
};

static void *fire(void *argument) {
    struct firing *firing = (struct firing *)argument;
    const struct timespec pause = {0, 20000000};
    wait_for(&firing->beacon, 1);
    nanosleep(&pause, NULL);
    SUCCEEDS(hljs_monitor_fire(firing->trigger, &error));
    return NULL;
}

static void triggers(void) {
    struct firing firing;
    hljs_monitor *monitor = trigger();
    const hljs_monitor *list[1];
    hljs_loaded_sandbox *loaded;
    hljs_snapshot *snapshot = NULL;
    pthread_t thread;
    uint8_t *result = (uint8_t *)untouched();
    size_t len = 7;
    firing.trigger = list[0] = monitor;
    make_beacon(&firing.beacon);
    loaded = load_script(new_proto_with(&firing.beacon), may_spin);
    check_stats(loaded, 0, "");
    answers(loaded, "{}", "1");
    check_stats(loaded, 1, "");
    lists(loaded, HLJS_CODE_HANDLER_NOT_FOUND, NULL);
    SUCCEEDS(hljs_loaded_sandbox_snapshot(loaded, &snapshot, &error));
    stops(loaded, snapshot);

    firing.beacon.prints = 0;
    thread = start_thread(fire, &firing);
    is_stopped(loaded, "{\"spin\":true}", list, 1, NULL, trigger_name);
    join_thread(thread);
    SUCCEEDS(hljs_loaded_sandbox_restore(loaded, snapshot, &error));
    // It stays fired, and such a call does not run.
    FAILS(hljs_loaded_sandbox_handle_event(loaded, BYTES("handler"), BYTES("{}"), 0, list, 1, NULL, &result, &len, &error),
          HLJS_CODE_CANCELLED, "Execution monitor failed to start: the trigger 'trigger-0' has fired");
    CHECK(result == untouched() && len == 7);
    check_loaded_status(loaded, HLJS_STATUS_READY);
    SUCCEEDS(hljs_monitor_reset(monitor, &error));
    SUCCEEDS(hljs_loaded_sandbox_handle_event(loaded, BYTES("handler"), BYTES("{}"), 0, list, 1, NULL, &result, &len,
                                              &error));
    CHECK(same_text(result, len, "2"));
    hljs_buffer_free(result, len);
    hljs_monitor_free(monitor);
    hljs_snapshot_free(snapshot);
    hljs_loaded_sandbox_free(loaded);
    free_beacon(&firing.beacon);
}

void monitors_with_guest(void) { triggers(); }
