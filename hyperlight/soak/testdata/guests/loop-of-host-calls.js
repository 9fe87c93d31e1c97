// attacks: time, by crossings to the host, with exceptions caught
// expect: cancelled
// event: "nothing"
// event: "fail"
// event: "panics"
// event: "add"
import * as host from "host";
function handler(event) { for (;;) try { host[event](); } catch {} }
