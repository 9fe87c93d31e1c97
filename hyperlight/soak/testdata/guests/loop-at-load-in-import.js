// attacks: top-level code that crosses to the host for ever
// at: load
// expect: cancelled
import * as host from "host";
for (;;) host.nothing();
export function handler() {}
