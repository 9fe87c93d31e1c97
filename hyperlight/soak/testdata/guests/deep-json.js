// attacks: the recursion of the JSON parser in the guest
// expect: out of memory
// event: "["
// event: "{\"a\":"
function handler(event) { return JSON.parse(event.repeat(300_000)); }
