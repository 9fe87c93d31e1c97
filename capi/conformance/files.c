// Modules that the guest imports from a tree of files, which exists in C alone.

#include "guests.h"
#include "parts.h"

#include <string.h>

struct entry {
    const char *path, *content; // NULL is a folder.
};

static const struct entry entries[] = {
    {"lib", NULL},
    {"lib/a.js", "import { b } from './b.js'; import pkg from 'pkg'; export const a = 'a' + b + pkg;"},
    {"lib/b.js", "export const b = 'b';"},
    {"node_modules", NULL},
    {"node_modules/pkg", NULL},
    {"node_modules/pkg/package.json", "{\"main\":\"./main.js\"}"},
    {"node_modules/pkg/main.js", "export default 'pkg';"},
    {"fails.js", ""},
    {"silent.js", ""},
    {"big.js", ""},
    {"bytes.js", ""},
};
enum { COUNT = sizeof entries / sizeof entries[0] };

struct tree {
    int stats, reads, drops;
};

static void on_drop(void *user_data) { ((struct tree *)user_data)->drops++; }

static const struct entry *find(const uint8_t *path, size_t len) {
    size_t i;
    for (i = 0; i < COUNT; i++) {
        if (same_text(path, len, entries[i].path)) return &entries[i];
    }
    return NULL;
}

static uint32_t on_stat(void *user_data, const uint8_t *path, size_t path_len) {
    const struct entry *entry = find(path, path_len);
    ((struct tree *)user_data)->stats++;
    if (same_text(path, path_len, ".")) return HLJS_FILE_KIND_FOLDER;
    if (same_text(path, path_len, "strange.js")) return 99;
    if (entry == NULL) return HLJS_FILE_KIND_NOTHING;
    return entry->content == NULL ? HLJS_FILE_KIND_FOLDER : HLJS_FILE_KIND_FILE;
}

static void on_read(void *user_data, const hljs_file *file, const uint8_t *path, size_t path_len, size_t max_len) {
    static uint8_t big[16 << 10];
    const struct entry *entry = find(path, path_len);
    ((struct tree *)user_data)->reads++;
    // Upstream reads a package.json without having asked whether it is there.
    CHECK(entry != NULL || contains(path, path_len, "package.json"));
    CHECK(max_len == (contains(path, path_len, "package.json") ? 4u << 20 : 16u << 10));
    if (same_text(path, path_len, "fails.js")) {
        SUCCEEDS(hljs_file_give(file, BYTES("export default 1;"), &error));
        FAILS(hljs_file_fail(file, BYTES("\xff"), &error), HLJS_CODE_INVALID_ARGUMENT,
              "the reason is not UTF-8: invalid byte at offset 0");
        SUCCEEDS(hljs_file_fail(file, BYTES("the disk is on fire"), &error)); // The last answer counts.
    } else if (same_text(path, path_len, "big.js")) {
        memset(big, ' ', sizeof big);
        FAILS(hljs_file_give(file, big, sizeof big, &error), HLJS_CODE_BUFFER_TOO_SMALL, NULL);
    } else if (same_text(path, path_len, "bytes.js")) {
        FAILS(hljs_file_give(file, BYTES("a\0"), &error), HLJS_CODE_INVALID_ARGUMENT,
              "the module contains a NUL byte at offset 1");
        FAILS(hljs_file_give(file, BYTES("\xff"), &error), HLJS_CODE_INVALID_ARGUMENT,
              "the module is not UTF-8: invalid byte at offset 0");
    } else if (entry != NULL && !same_text(path, path_len, "silent.js")) {
        SUCCEEDS(hljs_file_give(file, TEXT(entry->content), &error));
    }
}

static void no_file(void) {
    const hljs_code invalid = HLJS_CODE_INVALID_ARGUMENT;
    FAILS(hljs_file_give(NULL, BYTES("x"), &error), invalid, "file is NULL");
    FAILS(hljs_file_give(NULL, NULL, 1, &error), invalid, "the content is NULL, but its length is 1");
    CHECK(hljs_file_give(NULL, BYTES("x"), NULL) == invalid);
    FAILS(hljs_file_fail(NULL, BYTES("x"), &error), invalid, "file is NULL");
    FAILS(hljs_file_fail(NULL, NULL, 1, &error), invalid, "the reason is NULL, but its length is 1");
}

// A drop function runs exactly once, also when the call fails.
static void user_data(void) {
    hljs_proto_sandbox *proto = new_proto();
    int refused = 0, first = 0, second = 0;
    FAILS(hljs_proto_sandbox_set_module_loader(NULL, on_stat, on_read, &refused, count_drop, &error),
          HLJS_CODE_INVALID_ARGUMENT, "proto is NULL");
    FAILS(hljs_proto_sandbox_set_module_loader(proto, NULL, on_read, &refused, count_drop, &error),
          HLJS_CODE_INVALID_ARGUMENT, "stat is NULL");
    FAILS(hljs_proto_sandbox_set_module_loader(proto, on_stat, NULL, &refused, count_drop, &error),
          HLJS_CODE_INVALID_ARGUMENT, "read is NULL");
    CHECK(refused == 3);
    if (proto == NULL) return;
    SUCCEEDS(hljs_proto_sandbox_set_module_loader(proto, on_stat, on_read, &first, count_drop, &error));
    CHECK(first == 0);
    SUCCEEDS(hljs_proto_sandbox_set_module_loader(proto, on_stat, on_read, &second, count_drop, &error));
    CHECK(first == 1 && second == 0);
    hljs_proto_sandbox_free(proto);
    CHECK(first == 1 && second == 1);
}

void files_without_guest(void) {
    no_file();
    user_data();
}

void files_with_guest(void) {
    struct tree tree = {0, 0, 0};
    hljs_proto_sandbox *proto = new_proto();
    hljs_sandbox *sandbox;
    hljs_loaded_sandbox *loaded = NULL;
    int stats;
    SUCCEEDS(hljs_proto_sandbox_set_module_loader(proto, on_stat, on_read, &tree, on_drop, &error));
    sandbox = boot(proto);
    CHECK(tree.stats == 0 && tree.reads == 0);
    SUCCEEDS(hljs_sandbox_add_handler(sandbox, BYTES("handler"),
                                      BYTES("import { a } from './a.js';\n"
                                            "async function handler(event) {\n"
                                            "  if (event === null) return a;\n"
                                            "  try { return (await import(event)).default; }\n"
                                            "  catch (e) { return e.message; }\n"
                                            "}"),
                                      BYTES("lib"), &error));
    SUCCEEDS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error));
    hljs_sandbox_free(sandbox);
    CHECK(tree.stats > 0 && tree.reads >= 4);
    answers(loaded, "null", "\"abpkg\"");
    answers(loaded, "\"pkg\"", "\"pkg\"");
    answers(loaded, "\"/none.js\"", "\"Error resolving module '/none.js' from 'lib/handler.js'\"");
    answers(loaded, "\"/strange.js\"", "\"Error resolving module '/strange.js' from 'lib/handler.js'\"");
    answers(loaded, "\"/fails.js\"", "\"Error loading module 'fails.js'\"");
    answers(loaded, "\"/silent.js\"", "\"Error loading module 'silent.js'\"");
    answers(loaded, "\"/big.js\"", "\"Error loading module 'big.js'\"");
    answers(loaded, "\"/bytes.js\"", "\"Error loading module 'bytes.js'\"");
    stats = tree.stats;
    answers(loaded, "\"/none.js\"", "\"Error resolving module '/none.js' from 'lib/handler.js'\"");
    CHECK(tree.stats == stats); // What was not found is remembered.
    CHECK(tree.drops == 0);
    hljs_loaded_sandbox_free(loaded);
    CHECK(tree.drops == 1);
}
