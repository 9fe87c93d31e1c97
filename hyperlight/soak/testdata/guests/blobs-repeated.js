// attacks: the host's memory, by one array of bytes given many times
// expect: out of memory
// calls: 0
import * as host from "host";
function handler() { return host.blobs(Array(1000).fill(new Uint8Array(10_000))); }
