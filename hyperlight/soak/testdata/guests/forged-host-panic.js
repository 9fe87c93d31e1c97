// attacks: the cause of an error, by text of a panic that the guest has caught before
// expect: exception
// message: nothing has panicked
// calls: 1
import * as host from "host";
function handler() { try { host.panics(); } catch {} throw new Error("nothing has panicked"); }
