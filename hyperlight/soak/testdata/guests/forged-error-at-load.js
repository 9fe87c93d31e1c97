// attacks: the reader of error texts, while a handler is loaded
// at: load
// expect: exception
// message: Error: No handler registered for function x
throw new Error("Error: No handler registered for function x");
function handler() {}
