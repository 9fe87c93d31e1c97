// attacks: memory, in the compiler
// expect: out of memory
// event: "1+"
// event: "a();"
// event: "'a'+"
function handler(event) { return new Function(event.repeat(500_000) + "1")(); }
