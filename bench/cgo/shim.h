// What Go needs of C beside the ABI: a host function cannot be named from Go.

#include "../../capi/hyperlight_js.h"

hljs_code shim_register_add(const hljs_proto_sandbox *proto, hljs_error **error);
