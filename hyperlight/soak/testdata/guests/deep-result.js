// attacks: the recursion that turns the result into JSON
// expect: out of memory
function handler() { let a = []; for (let i = 0; i < 100_000; i++) a = [a]; return a; }
