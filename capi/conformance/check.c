#include "check.h"

#include <pthread.h>
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

void on_another_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, function, argument) != 0 || pthread_join(thread, NULL) != 0) {
        fprintf(stderr, "no thread could be made\n");
        exit(2);
    }
}
