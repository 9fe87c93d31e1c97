// attacks: the host, by functions that end their goroutine
// expect: host function panicked
// error: Goexit
// calls: 1
import * as host from "host";
function handler() { host.goexit(); return "never"; }
