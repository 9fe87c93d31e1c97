// What all parts of the conformance program check with. A failed check is printed and counted, and the
// program goes on. Valid C11 and C++17, like everything here.
#ifndef CHECK_H
#define CHECK_H

#if !defined(_GNU_SOURCE) && !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700 // sigaction, threads
#endif

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "../hyperlight_js.h"

#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)

// SUCCEEDS and FAILS take a call that passes `&error`. FAILS frees the error.
#define SUCCEEDS(call)                                                                                       \
    do {                                                                                                     \
        hljs_error *error = untouched_error();                                                               \
        hljs_code code = (call);                                                                             \
        check_success(code, error, #call, __FILE__, __LINE__);                                               \
    } while (0)

#define FAILS(call, expected_code, expected_message)                                                         \
    do {                                                                                                     \
        hljs_error *error = NULL;                                                                            \
        hljs_code code = (call);                                                                             \
        check_failure(code, error, expected_code, expected_message, #call, __FILE__, __LINE__);              \
    } while (0)

// BYTES passes a string literal as pointer and length, without its NUL; TEXT passes any C string.
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1
#define TEXT(text) (const uint8_t *)(text), strlen(text)

int failed_checks(void);
int all_checks(void);
void check(int ok, const char *what, const char *file, int line);

// A pointer that no function may write to or follow, for outputs that must stay as they are.
void *untouched(void);
hljs_error *untouched_error(void);

void check_success(hljs_code code, hljs_error *error, const char *call, const char *file, int line);

// Frees the error. A message of NULL may be anything but empty.
void check_failure(hljs_code code, hljs_error *error, hljs_code expected_code, const char *expected_message,
                   const char *call, const char *file, int line);

int same_text(const uint8_t *text, size_t len, const char *expected);

int contains(const uint8_t *text, size_t len, const char *part);

// A hljs_drop_fn. The user data is the int that it counts up.
void count_drop(void *drops);

// Whether this build of the library has a feature, and what a function that needs it returns.
int has_feature(const char *feature);
hljs_code code_of_feature(const char *feature);

// Runs a function on another thread, which is to be joined.
pthread_t start_thread(void *(*function)(void *), void *argument);
void join_thread(pthread_t thread);
// Does both.
void on_another_thread(void *(*function)(void *), void *argument);

// A new empty folder, and its removal with all that is in it.
struct folder {
    char path[64];
};
void make_folder(struct folder *folder);
void remove_folder(const struct folder *folder);
// The path of something in a folder, as text in `into`, which has `size` bytes.
void path_in(const struct folder *folder, const char *name, char *into, size_t size);

#endif
