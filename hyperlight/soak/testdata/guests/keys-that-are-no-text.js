// attacks: the transport of arguments, by a key that upstream's guest sends though it is no UTF-8
// expect: VM failure
// error: failed to convert buffer
// calls: 0
import * as host from "host";
function handler() { return host.echo({ "\udc00": 1 }); }
