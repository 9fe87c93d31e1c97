#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int all, failed;

int all_checks(void) { return all; }
int failed_checks(void) { return failed; }

void check(int ok, const char *what, const char *file, int line) {
    all++;
    if (!ok) {
        failed++;
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    }
}

static char nobody;

void *untouched(void) { return &nobody; }
hljs_error *untouched_error(void) { return (hljs_error *)untouched(); }

static void print_error(const hljs_error *error) {
    const uint8_t *text;
    size_t len;
    hljs_error_message(error, &text, &len);
    fprintf(stderr, "    code %u: %.*s\n", (unsigned)hljs_error_code(error), (int)len, (const char *)text);
}

void check_success(hljs_code code, hljs_error *error, const char *call, const char *file, int line) {
    check(code == HLJS_CODE_OK, call, file, line);
    if (code == HLJS_CODE_OK) {
        check(error == untouched_error(), "success leaves *error as it was", file, line);
        return;
    }
    print_error(error);
    hljs_error_free(error);
}

void check_failure(hljs_code code, hljs_error *error, hljs_code expected_code, const char *expected_message,
                   const char *call, const char *file, int line) {
    const uint8_t *text = NULL;
    size_t len = 0;
    check(code == expected_code, call, file, line);
    if (code == HLJS_CODE_OK) {
        return;
    }
    check(error != NULL && hljs_error_code(error) == code, "the error has the code that was returned", file, line);
    hljs_error_message(error, &text, &len);
    if (expected_message == NULL) {
        check(len > 0, "there is a message", file, line);
    } else if (!same_text(text, len, expected_message)) {
        check(0, expected_message, file, line);
        print_error(error);
    }
    hljs_error_free(error);
}

int same_text(const uint8_t *text, size_t len, const char *expected) {
    return len == strlen(expected) && (len == 0 || memcmp(text, expected, len) == 0);
}

int contains(const uint8_t *text, size_t len, const char *part) {
    const size_t wanted = strlen(part);
    size_t i;
    for (i = 0; i + wanted <= len; i++) {
        if (memcmp(text + i, part, wanted) == 0) return 1;
    }
    return 0;
}

void count_drop(void *drops) { ++*(int *)drops; }

int has_feature(const char *feature) {
    const uint8_t *text = NULL;
    size_t len = 0;
    hljs_features(&text, &len);
    return contains(text, len, feature);
}

hljs_code code_of_feature(const char *feature) {
    return has_feature(feature) ? HLJS_CODE_OK : HLJS_CODE_UNSUPPORTED;
}

// Without what the machine has to give, no check means anything.
static void need(int ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "%s failed\n", what);
        exit(2);
    }
}

pthread_t start_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    need(pthread_create(&thread, NULL, function, argument) == 0, "pthread_create");
    return thread;
}

void join_thread(pthread_t thread) { need(pthread_join(thread, NULL) == 0, "pthread_join"); }

void on_another_thread(void *(*function)(void *), void *argument) { join_thread(start_thread(function, argument)); }

void make_folder(struct folder *folder) {
    strcpy(folder->path, "/tmp/conformance-XXXXXX");
    need(mkdtemp(folder->path) != NULL, "mkdtemp");
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info, (void)type, (void)where;
    return remove(path);
}

void remove_folder(const struct folder *folder) {
    need(nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0, "nftw");
}

void path_in(const struct folder *folder, const char *name, char *into, size_t size) {
    const int len = snprintf(into, size, "%s/%s", folder->path, name);
    need(len > 0 && (size_t)len < size, "snprintf");
}
