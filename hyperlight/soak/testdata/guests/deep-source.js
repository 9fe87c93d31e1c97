// attacks: the recursion of the compiler
// expect: out of memory
// event: "("
// event: "["
// event: "{"
// event: "!"
// event: "a=>"
// event: "new "
// event: "`${"
function handler(event) { return new Function(event.repeat(300_000)); }
