// attacks: the stack, in top-level code
// at: load
// expect: out of memory
(function f() { return f() + 1; })();
function handler() {}
