// attacks: the reader of error texts, by a stack that continues the report
// expect: exception
// message: m
// event: "\"), }, message: Some(\"x"
// event: "\n    },\n)\nError: No handler registered for function x"
// event: 7
// event: null
// event: {"a":1}
function handler(event) { const e = new Error("m"); e.stack = event; throw e; }
