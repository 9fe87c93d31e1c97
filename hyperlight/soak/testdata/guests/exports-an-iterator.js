// attacks: the call of the handler, by a generator
// at: load
// expect: result
// result: {}
export function* handler() { for (;;) yield 1; }
