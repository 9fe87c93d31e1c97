// Metrics and logs, which belong to the process.

#include "guests.h"
#include "parts.h"

#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char metrics_off[] = "metrics are not installed", logs_off[] = "logs are not being collected";

// In a process that has built a sandbox already it is too late for metrics. Whether that sandbox could be
// built does not matter.
static void too_late(void) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
        uint8_t *json = (uint8_t *)untouched();
        size_t len = 7;
        hljs_proto_sandbox_free(new_proto());
        FAILS(hljs_metrics_install(&error), HLJS_CODE_TELEMETRY_TOO_LATE,
              "metrics must be installed before the first sandbox");
        FAILS(hljs_metrics_snapshot(&json, &len, &error), HLJS_CODE_METRICS_DISABLED, metrics_off);
        CHECK(json == untouched() && len == 7);
        _exit(failed_checks() == 0 ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void metrics(void) {
    uint8_t *json = (uint8_t *)untouched();
    size_t len = 7;
    FAILS(hljs_metrics_snapshot(&json, &len, &error), HLJS_CODE_METRICS_DISABLED, metrics_off);
    FAILS(hljs_metrics_snapshot(NULL, &len, &error), HLJS_CODE_INVALID_ARGUMENT, "json is NULL");
    FAILS(hljs_metrics_snapshot(&json, NULL, &error), HLJS_CODE_INVALID_ARGUMENT, "len is NULL");
    CHECK(json == untouched() && len == 7);
    SUCCEEDS(hljs_metrics_install(&error));
    SUCCEEDS(hljs_metrics_install(&error));
    CHECK(hljs_metrics_install(NULL) == HLJS_CODE_OK);
    SUCCEEDS(hljs_metrics_snapshot(&json, &len, &error));
    CHECK(same_text(json, len, "[]"));
    hljs_buffer_free(json, len);
}

// Reads what was collected before a stop, and says whether a text was in it.
static int rest_contains(const char *text) {
    uint8_t *json = NULL;
    size_t len = 0;
    int found = 0;
    while (hljs_logs_next(0, &json, &len, NULL) == HLJS_CODE_OK) {
        CHECK(len > 2 && json[0] == '[' && json[len - 1] == ']');
        found |= contains(json, len, text);
        hljs_buffer_free(json, len);
    }
    return found;
}

static void refused_logs(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT, stopped = HLJS_CODE_LOGS_STOPPED;
    uint8_t *json = (uint8_t *)untouched();
    size_t len = 7;
    FAILS(hljs_logs_start(6, 0, 1, &error), invalid, "level is 6, but the highest is 5, trace");
    FAILS(hljs_logs_start(UINT32_MAX, 0, 1, &error), invalid, NULL);
    FAILS(hljs_logs_start(1, 0, 0, &error), invalid, "capacity is 0, not from 1 to 1048576");
    FAILS(hljs_logs_start(1, 0, UINT32_MAX, &error), invalid, NULL);
    FAILS(hljs_logs_set_level(6, &error), invalid, NULL);
    FAILS(hljs_logs_set_level(HLJS_LOG_LEVEL_INFO, &error), stopped, logs_off);
    FAILS(hljs_logs_next(UINT64_MAX, NULL, &len, &error), invalid, "json is NULL");
    FAILS(hljs_logs_next(UINT64_MAX, &json, NULL, &error), invalid, "len is NULL");
    FAILS(hljs_logs_next(UINT64_MAX, &json, &len, &error), stopped, logs_off);
    CHECK(json == untouched() && len == 7);
    SUCCEEDS(hljs_logs_stop(&error));
}

static void *wait_for_logs(void *argument) {
    uint8_t *json = (uint8_t *)untouched();
    size_t len = 7;
    (void)argument;
    FAILS(hljs_logs_next(UINT64_MAX, &json, &len, &error), HLJS_CODE_LOGS_STOPPED, logs_off);
    CHECK(json == untouched() && len == 7);
    return NULL;
}

// A reader that waits for ever is woken by a stop.
static void waiting(void) {
    const struct timespec pause = {0, 20000000};
    uint8_t *json = (uint8_t *)untouched();
    size_t len = 7;
    pthread_t reader;
    SUCCEEDS(hljs_logs_start(HLJS_LOG_LEVEL_ERROR, 0, 1, &error));
    FAILS(hljs_logs_start(HLJS_LOG_LEVEL_ERROR, 0, 1, &error), HLJS_CODE_LOGS_RUNNING, NULL);
    SUCCEEDS(hljs_logs_next(1000000, &json, &len, &error));
    CHECK(json == NULL && len == 0); // None came in time.
    reader = start_thread(wait_for_logs, NULL);
    nanosleep(&pause, NULL);
    SUCCEEDS(hljs_logs_stop(&error));
    join_thread(reader);
    SUCCEEDS(hljs_logs_stop(&error));
}

// Each build is a span, also one that fails.
static void spans(void) {
    SUCCEEDS(hljs_logs_start(HLJS_LOG_LEVEL_INFO, 1, 1 << 20, &error));
    hljs_proto_sandbox_free(new_proto());
    SUCCEEDS(hljs_logs_stop(&error));
    CHECK(rest_contains("\"kind\":\"span\""));
    SUCCEEDS(hljs_logs_start(HLJS_LOG_LEVEL_INFO, 1, 1 << 20, &error));
    SUCCEEDS(hljs_logs_set_level(HLJS_LOG_LEVEL_OFF, &error));
    hljs_proto_sandbox_free(new_proto());
    SUCCEEDS(hljs_logs_stop(&error));
    CHECK(!rest_contains("\"kind\":\"span\""));
}

void telemetry_without_guest(void) {
    too_late();
    metrics();
    refused_logs();
    waiting();
    spans();
}

static void check_metrics(void) {
    static const char *const parts[] = {
        "{\"name\":\"proto_js_sandboxes_total\",\"kind\":\"counter\",\"labels\":{},\"value\":",
        "{\"name\":\"monitor_terminations_total\",\"kind\":\"counter\","
        "\"labels\":{\"monitor_type\":\"trigger-0\"},\"value\":1}",
        "{\"name\":\"event_handler_calls_total\",\"kind\":\"histogram\","
        "\"labels\":{\"event_handler_name\":\"telemetry\"},\"unit\":\"microseconds\",\"count\":2,",
    };
    uint8_t *json = NULL;
    size_t len = 0, i;
    SUCCEEDS(hljs_metrics_snapshot(&json, &len, &error));
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++) CHECK(contains(json, len, parts[i]));
    hljs_buffer_free(json, len);
}

void telemetry_with_guest(void) {
    hljs_sandbox *sandbox;
    hljs_loaded_sandbox *loaded = NULL;
    SUCCEEDS(hljs_logs_start(HLJS_LOG_LEVEL_ERROR, 0, 1000, &error));
    sandbox = boot(new_proto());
    add(sandbox, "telemetry", "function handler(event) { if (event.fail) throw Error('logged on purpose'); return 1; }");
    SUCCEEDS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error));
    hljs_sandbox_free(sandbox);
    handle(loaded, "telemetry", BYTES("{}"), 0, "1");
    handle(loaded, "telemetry", BYTES("{}"), 0, "1");
    check_metrics();
    fails(loaded, "telemetry", BYTES("{\"fail\":true}"), HLJS_CODE_JS_EXCEPTION);
    hljs_loaded_sandbox_free(loaded);
    SUCCEEDS(hljs_logs_stop(&error));
    CHECK(rest_contains("logged on purpose"));
}
