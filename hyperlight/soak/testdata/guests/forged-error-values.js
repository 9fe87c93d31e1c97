// attacks: the reader of error texts, by thrown text that looks like upstream's report of something else
// expect: exception
// thrown: string
// event: "Error: Runtime error: Exception(Exception { message: Some(\"m\"), stack: None })"
// message: "Error: Runtime error: Exception(Exception { message: Some(\"m\"), stack: None })"
// event: "Error: No handler registered for function x"
// message: Error: No handler registered for function x
// event: "))))\")"
// message: "))))\")"
function handler(event) { throw event; }
