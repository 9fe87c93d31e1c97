// What the parts with guests share.
#ifndef GUESTS_H
#define GUESTS_H

#include "check.h"

// A proto sandbox with upstream's defaults; NULL where there is no hypervisor.
hljs_proto_sandbox *new_proto(void);
// One that tells a beacon what the guest prints.
struct beacon;
hljs_proto_sandbox *new_proto_with(struct beacon *beacon);

// Boots the runtime, and frees the proto sandbox.
hljs_sandbox *boot(hljs_proto_sandbox *proto);
void add(const hljs_sandbox *sandbox, const char *name, const char *script);
// Boots, and loads the one handler "handler".
hljs_loaded_sandbox *load_script(hljs_proto_sandbox *proto, const char *script);

void check_status(const hljs_sandbox *sandbox, hljs_status expected);
void check_loaded_status(const hljs_loaded_sandbox *loaded, hljs_status expected);

// handle checks a handler's result.
void handle(const hljs_loaded_sandbox *loaded, const char *name, const uint8_t *event, size_t len, uint32_t gc,
            const char *expected);
// fails checks that a call fails and writes no result.
void fails(const hljs_loaded_sandbox *loaded, const char *name, const uint8_t *event, size_t len, hljs_code code);
// answers calls "handler".
void answers(const hljs_loaded_sandbox *loaded, const char *event, const char *expected);

// A call of "handler" with monitors and a context that is stopped by what `monitor` names, and leaves the sandbox poisoned.
void is_stopped(const hljs_loaded_sandbox *loaded, const char *event, const hljs_monitor *const *monitors, size_t len,
                const hljs_context *context, const char *monitor);

// A beacon lights up when a guest prints, that is: when it runs.
struct beacon {
    pthread_mutex_t mutex;
    pthread_cond_t lit;
    int prints;
};
void make_beacon(struct beacon *beacon);
void free_beacon(struct beacon *beacon);
// Waits until the guest has printed that often.
void wait_for(struct beacon *beacon, int prints);

// Prints, and never ends if the event says so.
extern const char may_spin[];

#endif
