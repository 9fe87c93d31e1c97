// Core dumps of guests, where the library can write them; elsewhere it says that it cannot.

#include "guests.h"
#include "parts.h"

#include <glob.h>
#include <stdlib.h>

static size_t dumps(const struct folder *folder) {
    char pattern[128];
    glob_t found;
    size_t count;
    path_in(folder, "hl_core_*.elf", pattern, sizeof pattern);
    count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return count;
}

static void on_request(const struct folder *folder) {
    hljs_sandbox *sandbox = boot(new_proto());
    hljs_loaded_sandbox *loaded = NULL;
    const hljs_code expected = code_of_feature("crashdump");
    const size_t supported = expected == HLJS_CODE_OK;
    CHECK(hljs_sandbox_generate_crashdump(sandbox, NULL) == expected);
    CHECK(dumps(folder) == supported);
    add(sandbox, "handler", "function handler() { return 1; }");
    SUCCEEDS(hljs_sandbox_get_loaded_sandbox(sandbox, NULL, &loaded, &error));
    CHECK(hljs_loaded_sandbox_generate_crashdump(loaded, NULL) == expected);
    CHECK(dumps(folder) == 2 * supported);
    answers(loaded, "{}", "1"); // A dump changes nothing.
    FAILS(hljs_sandbox_generate_crashdump(sandbox, &error), supported ? HLJS_CODE_CONSUMED : expected, NULL);
    hljs_sandbox_free(sandbox);
    hljs_loaded_sandbox_free(loaded);
}

static void turned_off(const struct folder *folder) {
    hljs_builder *builder = NULL;
    hljs_proto_sandbox *proto = NULL;
    hljs_sandbox *sandbox;
    const size_t before = dumps(folder);
    SUCCEEDS(hljs_builder_new(&builder, &error));
    CHECK(hljs_builder_set_crashdump_enabled(builder, 0, NULL) == code_of_feature("crashdump"));
    SUCCEEDS(hljs_builder_build(builder, &proto, &error));
    hljs_builder_free(builder);
    sandbox = boot(proto);
    FAILS(hljs_sandbox_generate_crashdump(sandbox, &error), HLJS_CODE_UNSUPPORTED, NULL);
    CHECK(dumps(folder) == before);
    hljs_sandbox_free(sandbox);
}

void crashdumps_with_guest(void) {
    struct folder folder;
    make_folder(&folder);
    CHECK(setenv("HYPERLIGHT_CORE_DUMP_DIR", folder.path, 1) == 0);
    on_request(&folder);
    turned_off(&folder);
    remove_folder(&folder);
}
