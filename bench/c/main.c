// The workloads of bench/ on the C ABI. See ../README.md; ../rust has all of them, this has those of the quick results
// and what upstream measures.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../capi/hyperlight_js.h"

#define TEXT(text) (const uint8_t *)(text), strlen(text)

// The handler of most workloads returns its event; the others are upstream's own benchmarks'.
static const char ECHO[] = "function handler(event) { return event; }";
static const char EVENT[] = "{\"a\":1}";
static const char REDIRECT[] =
    "\n        function handler(event) {\n            event.request.uri = \"/redirected.html\";\n"
    "            return event\n        }";
static const char REQUEST[] =
    "\n            {\n                \"request\": {\n                    \"uri\": \"/index.html\"\n"
    "                }\n            }";
static const char ADD[] =
    "\nimport * as host from \"host\";\nfunction handler(event) {\n    let sum = 0;\n"
    "    for (let i = 0; i < event.n; i++) sum = host.add(sum, i);\n    return sum;\n}";
static const char PRINT[] =
    "\nconst line = \"x\".repeat(100);\nfunction handler(event) {\n"
    "    for (let i = 0; i < event.n; i++) console.log(line);\n    return event.n;\n}";

// So long that it never fires.
static const uint64_t LIMIT = 5000000000;

// ---- How all workloads are timed, chosen and printed.

static int wanted_len;
static char **wanted;
static int scale = 1;
static double started;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// Whether a workload runs: the command line names it, or nothing.
static bool want(const char *name) {
    for (int i = 0; i < wanted_len; i++) {
        if (strcmp(wanted[i], name) == 0) return true;
    }
    return wanted_len == 0;
}

static void print(const char *name, const char *unit, double value) {
    printf("%s\t%s\t%.1f\n", name, unit, value);
    fflush(stdout);
}

// Ends the program when the call failed. `error` is a pointer so that it is read after the call.
static void check(hljs_code code, hljs_error **error) {
    if (code == HLJS_CODE_OK) return;
    const uint8_t *text;
    size_t len;
    hljs_error_message(*error, &text, &len);
    fprintf(stderr, "code %u: %.*s\n", (unsigned)code, (int)len, (const char *)text);
    exit(1);
}

// ---- Sandboxes.

static void ignore(void *user_data, const uint8_t *text, size_t len) {
    (void)user_data, (void)text, (void)len;
}

static hljs_proto_sandbox *new_proto(void) {
    hljs_error *error = NULL;
    hljs_builder *builder;
    hljs_proto_sandbox *proto;
    check(hljs_builder_new(&builder, &error), &error);
    check(hljs_builder_set_heap_size(builder, 8 << 20, &error), &error);
    check(hljs_builder_set_scratch_size(builder, 16 << 20, &error), &error);
    check(hljs_builder_set_input_buffer_size(builder, 1 << 20, &error), &error);
    check(hljs_builder_set_output_buffer_size(builder, 1 << 20, &error), &error);
    check(hljs_builder_set_print(builder, ignore, NULL, NULL, &error), &error);
    check(hljs_builder_build(builder, &proto, &error), &error);
    hljs_builder_free(builder);
    return proto;
}

static hljs_sandbox *boot(hljs_proto_sandbox *proto) {
    hljs_error *error = NULL;
    hljs_sandbox *sandbox;
    check(hljs_proto_sandbox_load_runtime(proto, &sandbox, &error), &error);
    hljs_proto_sandbox_free(proto);
    return sandbox;
}

static void add(hljs_sandbox *sandbox, const char *name, const char *source) {
    hljs_error *error = NULL;
    check(hljs_sandbox_add_handler(sandbox, TEXT(name), TEXT(source), NULL, 0, &error), &error);
}

static hljs_loaded_sandbox *load(hljs_sandbox *sandbox) {
    hljs_error *error = NULL;
    hljs_loaded_sandbox *loaded;
    check(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error), &error);
    hljs_sandbox_free(sandbox);
    return loaded;
}

static hljs_sandbox *unload(hljs_loaded_sandbox *loaded) {
    hljs_error *error = NULL;
    hljs_sandbox *sandbox;
    check(hljs_loaded_sandbox_unload(loaded, &sandbox, &error), &error);
    hljs_loaded_sandbox_free(loaded);
    return sandbox;
}

static hljs_loaded_sandbox *start_proto(hljs_proto_sandbox *proto, const char *source) {
    hljs_sandbox *sandbox = boot(proto);
    add(sandbox, "handler", source);
    return load(sandbox);
}

static hljs_loaded_sandbox *start(const char *source) { return start_proto(new_proto(), source); }

static void call(const hljs_loaded_sandbox *loaded, const char *event, size_t event_len, bool gc,
                 const hljs_monitor *const *monitors, size_t monitors_len) {
    hljs_error *error = NULL;
    uint8_t *result;
    size_t len;
    check(hljs_loaded_sandbox_handle_event(loaded, TEXT("handler"), (const uint8_t *)event, event_len, gc, monitors,
                                           monitors_len, NULL, &result, &len, &error),
          &error);
    hljs_buffer_free(result, len);
}

static hljs_snapshot *snapshot(const hljs_loaded_sandbox *loaded) {
    hljs_error *error = NULL;
    hljs_snapshot *taken;
    check(hljs_loaded_sandbox_snapshot(loaded, &taken, &error), &error);
    return taken;
}

static void restore(const hljs_loaded_sandbox *loaded, const hljs_snapshot *taken) {
    hljs_error *error = NULL;
    check(hljs_loaded_sandbox_restore(loaded, taken, &error), &error);
}

// ---- Calls.

// What calls have in common. An operation is `events` calls, each with a restore if there is a snapshot.
typedef struct {
    const hljs_loaded_sandbox *loaded;
    const char *event;
    size_t len;
    bool gc;
    int events;
    const hljs_snapshot *taken;
    const hljs_monitor *const *monitors;
    size_t monitors_len;
} calls;

static void operate(const calls *c) {
    for (int i = 0; i < c->events; i++) {
        call(c->loaded, c->event, c->len, c->gc, c->monitors, c->monitors_len);
        if (c->taken) restore(c->loaded, c->taken);
    }
}

// The mean time of an operation.
static double each(const calls *c, int warm_up, int operations) {
    for (int i = 0; i < warm_up; i++) operate(c);
    operations *= scale;
    double begin = now();
    for (int i = 0; i < operations; i++) operate(c);
    return (now() - begin) / operations;
}

static void measure_calls(const char *name, const char *source, calls c, int warm_up, int operations) {
    if (!want(name)) return;
    hljs_loaded_sandbox *loaded = start(source);
    c.loaded = loaded;
    print(name, "ns", each(&c, warm_up, operations));
    hljs_loaded_sandbox_free(loaded);
}

static void series(bool gc, int events, bool with_restore) {
    char name[80];
    snprintf(name, sizeof name, "handle_%d_events%s_%s", events, with_restore ? "_with_restore" : "",
             gc ? "with_gc" : "without_gc");
    if (!want(name)) return;
    hljs_loaded_sandbox *loaded = start(REDIRECT);
    hljs_snapshot *taken = with_restore ? snapshot(loaded) : NULL;
    calls c = {loaded, REQUEST, strlen(REQUEST), gc, events, taken, NULL, 0};
    print(name, "ns", with_restore ? each(&c, 3, 15) : each(&c, 20, 100));
    hljs_snapshot_free(taken);
    hljs_loaded_sandbox_free(loaded);
}

static void sizes(void) {
    static const struct {
        const char *name;
        size_t bytes;
        int warm_up, operations;
    } all[] = {{"event_100b", 100, 50, 300},
               {"event_1kb", 1000, 50, 300},
               {"event_10kb", 10000, 10, 50},
               {"event_100kb", 100000, 10, 80},
               {"event_1mb", 1000000, 1, 3}};
    static const char head[] = "{\"text\":\"", tail[] = "\"}";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char *event = malloc(all[i].bytes);
        memset(event, 'x', all[i].bytes);
        memcpy(event, head, strlen(head));
        memcpy(event + all[i].bytes - strlen(tail), tail, strlen(tail));
        calls c = {.event = event, .len = all[i].bytes, .events = 1};
        measure_calls(all[i].name, ECHO, c, all[i].warm_up, all[i].operations);
        free(event);
    }
}

static void batch(int size) {
    char name[40];
    snprintf(name, sizeof name, "batch_%d", size);
    if (!want(name)) return;
    hljs_loaded_sandbox *loaded = start(ECHO);
    const uint8_t **events = calloc((size_t)size, sizeof *events);
    size_t *lens = calloc((size_t)size, sizeof *lens);
    for (int i = 0; i < size; i++) events[i] = (const uint8_t *)EVENT, lens[i] = strlen(EVENT);
    int warm_up = size < 200 ? 200 / size : 1, operations = 1000 / size * scale;
    double begin = 0;
    for (int i = -warm_up; i < operations; i++) {
        if (i == 0) begin = now();
        hljs_error *error = NULL;
        hljs_batch *done;
        check(hljs_loaded_sandbox_handle_events(loaded, TEXT("handler"), events, lens, (size_t)size, 0, 1, NULL, 0,
                                                NULL, 0, NULL, &done, &error),
              &error);
        hljs_batch_free(done);
    }
    print(name, "ns", (now() - begin) / operations / size);
    free(events);
    free(lens);
    hljs_loaded_sandbox_free(loaded);
}

static void monitors(void) {
    hljs_error *error = NULL;
    hljs_monitor *wall, *cpu;
    check(hljs_monitor_new_wall_clock(LIMIT, &wall, &error), &error);
    check(hljs_monitor_new_cpu_time(LIMIT, &cpu, &error), &error);
    const hljs_monitor *both[] = {wall, cpu};
    calls c = {.event = REQUEST, .len = strlen(REQUEST), .gc = true, .events = 1};
    measure_calls("handle_event_no_monitor", REDIRECT, c, 100, 500);
    c.monitors = both, c.monitors_len = 1;
    measure_calls("handle_event_wall_clock", REDIRECT, c, 100, 500);
    c.monitors = both + 1;
    measure_calls("handle_event_cpu_time", REDIRECT, c, 100, 500);
    c.monitors = both, c.monitors_len = 2;
    measure_calls("handle_event_wall_and_cpu", REDIRECT, c, 100, 500);
    hljs_monitor_free(wall);
    hljs_monitor_free(cpu);
}

// ---- What a guest asks of its host. The value is what one more use in the same event costs.

// `args` is `[a,b]`, and what follows a number ends it.
static void add_numbers(void *user_data, const hljs_host_call *host_call, const uint8_t *args, size_t args_len,
                        const uint8_t *blobs, size_t blobs_len) {
    (void)user_data, (void)blobs, (void)blobs_len;
    char text[80], result[40];
    snprintf(text, sizeof text, "%.*s", (int)args_len, (const char *)args);
    char *rest;
    double a = strtod(text + 1, &rest);
    int len = snprintf(result, sizeof result, "%.17g", a + strtod(rest + 1, NULL));
    hljs_error *error = NULL;
    check(hljs_host_call_return_json(host_call, (const uint8_t *)result, (size_t)len, NULL, 0, &error), &error);
}

static void one_more(const char *name, hljs_loaded_sandbox *loaded) {
    static const char one[] = "{\"n\":1}", many[] = "{\"n\":101}";
    calls c = {.loaded = loaded, .event = one, .len = strlen(one), .gc = true, .events = 1};
    double single = each(&c, 2, 5);
    c.event = many, c.len = strlen(many);
    print(name, "ns", (each(&c, 2, 5) - single) / 100);
    hljs_loaded_sandbox_free(loaded);
}

static void host(void) {
    if (want("host_json")) {
        hljs_error *error = NULL;
        hljs_proto_sandbox *proto = new_proto();
        check(hljs_proto_sandbox_register(proto, TEXT("host"), TEXT("add"), add_numbers, NULL, NULL, &error), &error);
        one_more("host_json", start_proto(proto, ADD));
    }
    if (want("print")) one_more("print", start(PRINT));
}

// ---- From nothing to an answer.

static double jsload(int handlers, bool with_snapshot) {
    hljs_sandbox *sandbox = boot(new_proto());
    double total = 0;
    int warm_up = 2, operations = 10 * scale;
    for (int i = -warm_up; i < operations; i++) {
        double begin = now();
        for (int j = 0; j < handlers; j++) {
            char name[20];
            snprintf(name, sizeof name, "function%d", j);
            add(sandbox, name, REDIRECT);
        }
        hljs_loaded_sandbox *loaded = load(sandbox);
        if (with_snapshot) hljs_snapshot_free(snapshot(loaded));
        if (i >= 0) total += now() - begin;
        sandbox = unload(loaded);
    }
    hljs_sandbox_free(sandbox);
    return total / operations;
}

static void lifecycle(void) {
    if (want("cold_start")) {
        hljs_loaded_sandbox *loaded = start(ECHO);
        call(loaded, EVENT, strlen(EVENT), true, NULL, 0);
        print("cold_start", "ns", now() - started);
        hljs_loaded_sandbox_free(loaded);
    }
    static const int counts[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 8; i++) {
        char name[60];
        int handlers = counts[i / 2];
        bool with_snapshot = i % 2;
        snprintf(name, sizeof name, "jsload_%d_handler%s%s", handlers, handlers == 1 ? "" : "s",
                 with_snapshot ? "_with_snapshot" : "");
        if (want(name)) print(name, "ns", jsload(handlers, with_snapshot));
    }
    if (want("build_and_load_runtime")) {
        hljs_sandbox_free(boot(new_proto()));
        double begin = now();
        for (int i = 0; i < 4 * scale; i++) hljs_sandbox_free(boot(new_proto()));
        print("build_and_load_runtime", "ns", (now() - begin) / (4 * scale));
    }
    if (want("add_load_handle_unload")) {
        hljs_sandbox *sandbox = boot(new_proto());
        double begin = 0;
        int warm_up = 3, operations = 20 * scale;
        for (int i = -warm_up; i < operations; i++) {
            if (i == 0) begin = now();
            add(sandbox, "handler", REDIRECT);
            hljs_loaded_sandbox *loaded = load(sandbox);
            call(loaded, REQUEST, strlen(REQUEST), true, NULL, 0);
            sandbox = unload(loaded);
        }
        print("add_load_handle_unload", "ns", (now() - begin) / operations);
        hljs_sandbox_free(sandbox);
    }
}

static void snapshots(void) {
    if (want("restore")) {
        hljs_loaded_sandbox *loaded = start(ECHO);
        hljs_snapshot *taken = snapshot(loaded);
        double total = 0;
        int warm_up = 5, operations = 30 * scale;
        for (int i = -warm_up; i < operations; i++) {
            call(loaded, EVENT, strlen(EVENT), true, NULL, 0);
            double begin = now();
            restore(loaded, taken);
            if (i >= 0) total += now() - begin;
        }
        print("restore", "ns", total / operations);
        hljs_snapshot_free(taken);
        hljs_loaded_sandbox_free(loaded);
    }
    if (want("call_and_restore")) {
        hljs_loaded_sandbox *loaded = start(ECHO);
        hljs_snapshot *taken = snapshot(loaded);
        calls c = {loaded, EVENT, strlen(EVENT), true, 1, taken, NULL, 0};
        print("call_and_restore", "ns", each(&c, 5, 100));
        hljs_snapshot_free(taken);
        hljs_loaded_sandbox_free(loaded);
    }
}

int main(int argc, char **argv) {
    started = now();
    wanted_len = argc - 1, wanted = argv + 1;
    const char *factor = getenv("BENCH_SCALE");
    if (factor && atoi(factor) > 0) scale = atoi(factor);

    lifecycle(); // first: the cold start wants a process that has not done anything
    calls c = {.event = EVENT, .len = strlen(EVENT), .events = 1};
    measure_calls("warm_gc_false", ECHO, c, 200, 1000);
    c.gc = true;
    measure_calls("warm_gc_true", ECHO, c, 200, 1000);
    for (int size = 10; size <= 1000; size *= 10) batch(size);
    static const int counts[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 16; i++) series(i & 1, counts[i / 4], i & 2);
    sizes();
    monitors();
    host();
    snapshots();
    return 0;
}
