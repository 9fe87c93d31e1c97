#include "shim.h"

#include "_cgo_export.h"

static void add(void *user_data, const hljs_host_call *call, const uint8_t *args, size_t args_len,
                const uint8_t *blobs, size_t blobs_len) {
    (void)user_data, (void)blobs, (void)blobs_len;
    hostAdd((hljs_host_call *)call, (uint8_t *)args, args_len);
}

hljs_code shim_register_add(const hljs_proto_sandbox *proto, hljs_error **error) {
    return hljs_proto_sandbox_register(proto, (const uint8_t *)"host", 4, (const uint8_t *)"add", 3, add, NULL, NULL,
                                       error);
}
