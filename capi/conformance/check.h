// What both parts of the conformance program check with. A failed check is printed and counted, and the
// program goes on. Valid C11 and C++17, like everything here.
#ifndef CHECK_H
#define CHECK_H

#if !defined(_GNU_SOURCE) && !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700 // sigaction, threads
#endif

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

// BYTES passes a string literal as pointer and length, without its NUL.
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

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

// Runs a function on another thread and waits for it.
void on_another_thread(void *(*function)(void *), void *argument);

// The two parts. The first needs no hypervisor.
void host(void);
void guest(void);

#endif
