// attacks: top-level code, which upstream runs without any limit
// at: load
// expect: cancelled
for (;;) {}
function handler() {}
