// attacks: the recursion of the compiler of regular expressions
// expect: out of memory
// event: "(?="
// event: "(?:"
// event: "("
// expect: exception
// message: too many captures
function handler(event) { return new RegExp(event.repeat(300_000)).source.length; }
