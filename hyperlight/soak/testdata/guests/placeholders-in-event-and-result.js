// attacks: events and results, which hold no bytes, by placeholders
// event: {"__bin__":0,"a":[{"__bin__":7},{"__bin__":-1}]}
// expect: result
// result: {"__bin__":0,"a":[{"__bin__":7},{"__bin__":-1}]}
// event: [{"__bin__":0}]
// expect: result
// result: [{"__bin__":0}]
function handler(event) { return event; }
