// attacks: the host, by a panic while it waits for the arguments of another function
// expect: host function panicked
// error: on purpose
// calls: 1
import * as host from "host";
function handler() { return { get a() { return host.panics(); } }; }
