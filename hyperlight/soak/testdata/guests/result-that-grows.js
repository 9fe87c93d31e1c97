// attacks: the output buffer, by a result that is longer as JSON, and memory by its copies
// expect: out of memory
function handler() { return "\x01".repeat(300_000); }
