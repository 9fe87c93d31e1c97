// attacks: the output buffer, by a result that just fits
// event: 1048400
// expect: result
// bytes: 1048402
function handler(n) { return "x".repeat(n); }
