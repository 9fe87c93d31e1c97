// attacks: memory, in top-level code
// at: load
// expect: out of memory
const all = [];
for (;;) all.push(new Array(1000).fill(all.length));
function handler() {}
