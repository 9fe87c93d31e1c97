// Snapshots: taken, restored, saved to files and loaded from them.

#include "guests.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static hljs_code load(const char *dir, const char *reference, uint32_t verify, hljs_snapshot **snapshot,
                      hljs_error **error) {
    return hljs_snapshot_load(TEXT(dir), TEXT(reference), verify, snapshot, error);
}

static void nothing(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    hljs_snapshot *snapshot = (hljs_snapshot *)untouched();
    uint8_t *digest = (uint8_t *)untouched();
    size_t len = 7;
    uint64_t number = 7;
    FAILS(hljs_loaded_sandbox_snapshot(NULL, &snapshot, &error), invalid, "loaded is NULL");
    FAILS(hljs_loaded_sandbox_snapshot(NULL, NULL, &error), invalid, "snapshot is NULL");
    FAILS(hljs_loaded_sandbox_restore(NULL, NULL, &error), invalid, NULL);
    FAILS(hljs_loaded_sandbox_get_config(NULL, &number, &number, &number, &number, &number, NULL, &error), invalid,
          "loaded is NULL");
    FAILS(hljs_snapshot_get_config(NULL, &number, &number, &number, &number, &error), invalid, "snapshot is NULL");
    FAILS(hljs_snapshot_size(NULL, &number, &error), invalid, "snapshot is NULL");
    FAILS(hljs_snapshot_size(NULL, NULL, &error), invalid, "size is NULL");
    FAILS(hljs_snapshot_save(NULL, BYTES("/tmp"), BYTES("tag"), &digest, &len, &error), invalid, "snapshot is NULL");
    FAILS(hljs_snapshot_save(NULL, BYTES("/tmp"), BYTES("tag"), NULL, &len, &error), invalid, "digest is NULL");
    FAILS(hljs_snapshot_save(NULL, BYTES("/tmp"), BYTES("tag"), &digest, NULL, &error), invalid, "digest_len is NULL");
    FAILS(hljs_snapshot_save(NULL, BYTES("/\xff"), BYTES("tag"), &digest, &len, &error), invalid,
          "the folder is not UTF-8: invalid byte at offset 1");
    FAILS(hljs_snapshot_save(NULL, BYTES("/tmp"), NULL, 1, &digest, &len, &error), invalid,
          "the tag is NULL, but its length is 1");
    FAILS(hljs_snapshot_load(BYTES("/tmp"), BYTES("tag"), 1, NULL, &error), invalid, "snapshot is NULL");
    FAILS(hljs_snapshot_load(NULL, 1, BYTES("tag"), 1, &snapshot, &error), invalid,
          "the folder is NULL, but its length is 1");
    FAILS(hljs_snapshot_load(BYTES("/t\0"), BYTES("tag"), 1, &snapshot, &error), invalid,
          "the folder contains a NUL byte at offset 2");
    FAILS(hljs_snapshot_load(BYTES("/tmp"), BYTES("\xff"), 1, &snapshot, &error), invalid,
          "the reference is not UTF-8: invalid byte at offset 0");
    FAILS(hljs_snapshot_load(BYTES("/tmp"), digest, SIZE_MAX, 1, &snapshot, &error), invalid, NULL);
    CHECK(snapshot == untouched() && digest == untouched() && len == 7 && number == 7);
    hljs_snapshot_free(NULL);
}

static void write_file(const struct folder *folder, const char *name, const char *content) {
    char path[128];
    FILE *file;
    path_in(folder, name, path, sizeof path);
    file = fopen(path, "w");
    CHECK(file != NULL && fputs(content, file) >= 0 && fclose(file) == 0);
}

// Folders that hold no snapshot, or what only looks like one.
static void garbage(void) {
    const hljs_code absent = HLJS_CODE_SNAPSHOT_NOT_FOUND, corrupt = HLJS_CODE_SNAPSHOT_CORRUPT;
    hljs_snapshot *snapshot = (hljs_snapshot *)untouched();
    struct folder folder;
    char missing[128];
    uint32_t verify;
    for (verify = 0; verify < 2; verify++) {
        make_folder(&folder);
        path_in(&folder, "missing", missing, sizeof missing);
        FAILS(load("", "tag", verify, &snapshot, &error), absent, NULL);
        FAILS(load(missing, "tag", verify, &snapshot, &error), absent, NULL);
        FAILS(load(folder.path, "tag", verify, &snapshot, &error), absent, NULL);
        FAILS(load(folder.path, ".tag", verify, &snapshot, &error), HLJS_CODE_INVALID_ARGUMENT, NULL);
        FAILS(load(folder.path, "sha256:12", verify, &snapshot, &error), HLJS_CODE_INVALID_ARGUMENT, NULL);
        write_file(&folder, "oci-layout", "garbage");
        FAILS(load(folder.path, "tag", verify, &snapshot, &error), corrupt, NULL);
        write_file(&folder, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
        write_file(&folder, "index.json", "\xff{");
        FAILS(load(folder.path, "tag", verify, &snapshot, &error), corrupt, NULL);
        write_file(&folder, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
        FAILS(load(folder.path, "tag", verify, &snapshot, &error), absent, NULL);
        remove_folder(&folder);
    }
    CHECK(snapshot == untouched());
}

void snapshots_without_guest(void) {
    nothing();
    garbage();
}

static const char counter[] = "let calls = 0; function handler(event) { return ++calls; }";

static hljs_snapshot *snapshot_of(const hljs_loaded_sandbox *loaded) {
    hljs_snapshot *snapshot = NULL;
    SUCCEEDS(hljs_loaded_sandbox_snapshot(loaded, &snapshot, &error));
    return snapshot;
}

// Restores, and lets the counter go on where the snapshot was.
static void goes_on(const hljs_loaded_sandbox *loaded, const hljs_snapshot *snapshot, const char *expected) {
    SUCCEEDS(hljs_loaded_sandbox_restore(loaded, snapshot, &error));
    check_loaded_status(loaded, HLJS_STATUS_READY);
    answers(loaded, "{}", expected);
}

static hljs_proto_sandbox *bigger_proto(void) {
    hljs_builder *builder = NULL;
    hljs_proto_sandbox *proto = NULL;
    SUCCEEDS(hljs_builder_new(&builder, &error));
    SUCCEEDS(hljs_builder_set_heap_size(builder, 5 << 20, &error));
    SUCCEEDS(hljs_builder_set_scratch_size(builder, 2 << 20, &error));
    SUCCEEDS(hljs_builder_set_input_buffer_size(builder, 32 << 10, &error));
    SUCCEEDS(hljs_builder_set_interrupt_retry_delay(builder, 1000000, &error));
    SUCCEEDS(hljs_builder_build(builder, &proto, &error));
    hljs_builder_free(builder);
    return proto;
}

static void check_config(const hljs_loaded_sandbox *loaded, uint64_t heap_size, uint64_t input_buffer_size) {
    uint64_t heap = 0, scratch = 0, input = 0, output = 0, delay = 0;
    uint8_t offset = 77;
    SUCCEEDS(hljs_loaded_sandbox_get_config(loaded, &heap, &scratch, &input, &output, &delay, &offset, &error));
    CHECK(heap == heap_size && scratch >= 1 << 20 && input == input_buffer_size && output == 16 << 10);
    CHECK(delay == 1000000 && offset == 0); // These stay the sandbox's own.
    SUCCEEDS(hljs_loaded_sandbox_get_config(loaded, NULL, NULL, NULL, NULL, NULL, NULL, &error));
}

// A snapshot also fits a sandbox of another size, which then has the snapshot's.
static void other_sandbox(const hljs_snapshot *snapshot) {
    hljs_loaded_sandbox *loaded = load_script(bigger_proto(), "function handler() { return 'other'; }");
    hljs_snapshot *own = snapshot_of(loaded);
    uint64_t heap = 0, scratch = 0, input = 0, output = 0;
    check_config(loaded, 5 << 20, 32 << 10);
    goes_on(loaded, snapshot, "2");
    check_config(loaded, 4 << 20, 16 << 10);
    SUCCEEDS(hljs_snapshot_get_config(snapshot, &heap, &scratch, &input, &output, &error));
    CHECK(heap == 4 << 20 && scratch == 1 << 20 && input == 16 << 10 && output == 16 << 10);
    SUCCEEDS(hljs_snapshot_get_config(own, &heap, NULL, NULL, NULL, &error));
    CHECK(heap == 5 << 20);
    SUCCEEDS(hljs_snapshot_get_config(own, NULL, NULL, NULL, NULL, &error));
    SUCCEEDS(hljs_snapshot_size(own, &heap, &error));
    CHECK(heap > 5 << 20 && heap % 4096 == 0);
    goes_on(loaded, own, "\"other\"");
    check_config(loaded, 5 << 20, 32 << 10);
    hljs_snapshot_free(own);
    hljs_loaded_sandbox_free(loaded);
}

static void loads(const struct folder *folder, const char *reference, const hljs_loaded_sandbox *into,
                  const char *expected) {
    uint32_t verify;
    for (verify = 0; verify < 3; verify++) {
        hljs_snapshot *snapshot = NULL;
        SUCCEEDS(load(folder->path, reference, verify, &snapshot, &error));
        goes_on(into, snapshot, expected);
        hljs_snapshot_free(snapshot); // The sandbox keeps what it needs of it.
        answers(into, "{}", "3");
    }
}

static void files(const hljs_snapshot *snapshot, const hljs_loaded_sandbox *into) {
    struct folder folder;
    char sub[128], deep[128], reference[128];
    uint8_t *digest = (uint8_t *)untouched();
    size_t len = 7;
    hljs_snapshot *none = (hljs_snapshot *)untouched();
    make_folder(&folder);
    path_in(&folder, "snapshots", sub, sizeof sub);
    path_in(&folder, "no/parent", deep, sizeof deep);
    FAILS(hljs_snapshot_save(snapshot, TEXT(sub), BYTES(".bad"), &digest, &len, &error),
          HLJS_CODE_INVALID_ARGUMENT, NULL);
    FAILS(hljs_snapshot_save(snapshot, TEXT(deep), BYTES("v1"), &digest, &len, &error), HLJS_CODE_SNAPSHOT_IO, NULL);
    CHECK(digest == untouched() && len == 7);
    SUCCEEDS(hljs_snapshot_save(snapshot, TEXT(sub), BYTES("v1"), &digest, &len, &error));
    CHECK(len == 71 && contains(digest, 7, "sha256:"));
    snprintf(reference, sizeof reference, "%.*s", (int)len, (const char *)digest);
    hljs_buffer_free(digest, len);
    snprintf(folder.path + strlen(folder.path), sizeof folder.path - strlen(folder.path), "/snapshots");
    loads(&folder, "v1", into, "2");
    loads(&folder, reference, into, "2");
    FAILS(load(sub, "v2", 1, &none, &error), HLJS_CODE_SNAPSHOT_NOT_FOUND, NULL);
    CHECK(none == untouched());
    *strrchr(folder.path, '/') = '\0';
    remove_folder(&folder);
}

struct killing {
    const hljs_loaded_sandbox *loaded;
    struct beacon beacon;
};

// A guest that another thread killed is helped up by a snapshot of it.
static void *kill_it(void *argument) {
    struct killing *killing = (struct killing *)argument;
    hljs_interrupt_handle *handle = NULL;
    const struct timespec pause = {0, 20000000};
    uint32_t sent;
    SUCCEEDS(hljs_loaded_sandbox_interrupt_handle(killing->loaded, &handle, &error)); // Also while it runs.
    wait_for(&killing->beacon, 1);
    nanosleep(&pause, NULL);
    SUCCEEDS(hljs_interrupt_handle_kill(handle, &sent, &error));
    hljs_interrupt_handle_free(handle);
    return NULL;
}

static void after_a_kill(void) {
    struct killing killing;
    hljs_loaded_sandbox *loaded;
    hljs_snapshot *snapshot, *none = (hljs_snapshot *)untouched();
    pthread_t thread;
    make_beacon(&killing.beacon);
    killing.loaded = loaded = load_script(new_proto_with(&killing.beacon), may_spin);
    answers(loaded, "{}", "1");
    snapshot = snapshot_of(loaded);
    thread = start_thread(kill_it, &killing);
    is_stopped(loaded, "{\"spin\":true}", NULL, 0, NULL, "interrupt");
    join_thread(thread);
    FAILS(hljs_loaded_sandbox_snapshot(loaded, &none, &error), HLJS_CODE_POISONED, NULL);
    CHECK(none == untouched());
    FAILS(hljs_loaded_sandbox_restore(loaded, NULL, &error), HLJS_CODE_INVALID_ARGUMENT, "snapshot is NULL");
    check_loaded_status(loaded, HLJS_STATUS_POISONED);
    goes_on(loaded, snapshot, "2");
    hljs_snapshot_free(snapshot);
    hljs_loaded_sandbox_free(loaded);
    free_beacon(&killing.beacon);
}

static void silent(void *user_data, const hljs_host_call *call, const uint8_t *args, size_t args_len,
                   const uint8_t *blobs, size_t blobs_len) {
    (void)user_data, (void)call, (void)args, (void)args_len, (void)blobs, (void)blobs_len;
}

// A snapshot of a sandbox with host functions suits one without; a consumed sandbox has and takes none.
static void consumed(const hljs_loaded_sandbox *into) {
    hljs_proto_sandbox *proto = new_proto();
    hljs_loaded_sandbox *loaded;
    hljs_sandbox *sandbox = NULL;
    hljs_snapshot *snapshot, *none = (hljs_snapshot *)untouched();
    SUCCEEDS(hljs_proto_sandbox_register(proto, BYTES("m"), BYTES("f"), silent, NULL, NULL, &error));
    loaded = load_script(proto, counter);
    snapshot = snapshot_of(loaded);
    goes_on(into, snapshot, "1");
    SUCCEEDS(hljs_loaded_sandbox_unload(loaded, &sandbox, &error));
    FAILS(hljs_loaded_sandbox_snapshot(loaded, &none, &error), HLJS_CODE_CONSUMED, NULL);
    FAILS(hljs_loaded_sandbox_restore(loaded, snapshot, &error), HLJS_CODE_CONSUMED, NULL);
    CHECK(none == untouched());
    hljs_sandbox_free(sandbox);
    hljs_loaded_sandbox_free(loaded);
    hljs_snapshot_free(snapshot);
}

void snapshots_with_guest(void) {
    hljs_loaded_sandbox *loaded = load_script(new_proto(), counter);
    hljs_snapshot *first, *second;
    answers(loaded, "{}", "1");
    first = snapshot_of(loaded);
    answers(loaded, "{}", "2");
    answers(loaded, "{}", "3");
    second = snapshot_of(loaded);
    goes_on(loaded, first, "2");
    goes_on(loaded, second, "4");
    goes_on(loaded, first, "2");
    other_sandbox(first);
    files(first, loaded);
    consumed(loaded);
    hljs_snapshot_free(first);
    answers(loaded, "{}", "2"); // What was restored last was the one of another sandbox.
    goes_on(loaded, second, "4");
    hljs_snapshot_free(second);
    hljs_loaded_sandbox_free(loaded);
    after_a_kill();
}
