// attacks: the host, by functions that are known to panic
// expect: host function panicked
// error: on purpose
// calls: 1
import * as host from "host";
function handler() { host.panics(); return "never"; }
