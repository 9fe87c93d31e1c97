// attacks: the output buffer, by results beyond it
// expect: output too big
// event: 1048576
// event: 2000000
function handler(n) { return "x".repeat(n); }
