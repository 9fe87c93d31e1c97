// attacks: top-level await, by microtasks that never end
// at: load
// expect: cancelled
for (;;) await null;
export function handler() {}
