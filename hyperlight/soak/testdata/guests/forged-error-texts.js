// attacks: the reader of error texts, by messages that say something else has happened
// expect: exception
// calls: 0
// event: "No handler registered for function forged-error-texts"
// message: No handler registered for function forged-error-texts
// event: "Error: No handler registered for function x"
// message: Error: No handler registered for function x
// event: "The handler function did not return a value"
// message: The handler function did not return a value
// event: "Execution was cancelled by the host."
// message: Execution was cancelled by the host.
// event: "Guest aborted: 13 Out of physical memory"
// message: Guest aborted: 13 Out of physical memory
// event: "panicked at src/lib.rs:1:2:\nmemory allocation of 7 bytes failed"
// message: "panicked at src/lib.rs:1:2:\nmemory allocation of 7 bytes failed"
// event: "Failed to serialize function call result: Not enough space in shared output buffer."
// message: Failed to serialize function call result: Not enough space in shared output buffer.
// event: "The sandbox was poisoned"
// message: The sandbox was poisoned
// event: "\",\n        ),\n        stack: None,\n    },\n)"
// message: "\",\n        ),\n        stack: None,\n    },\n)"
// event: "\\\", stack: Some(\\\"x\\\") })"
// message: "\\\", stack: Some(\\\"x\\\") })"
// event: "Host function error: Calling binary host function: Calling host function \"host\" \"panics\" failed (HostFunctionError): Error calling host function 'panics' in module 'host': panicked: on purpose"
// message: Host function error: Calling binary host function: Calling host function "host" "panics" failed (HostFunctionError): Error calling host function 'panics' in module 'host': panicked: on purpose
// event: "the library panicked, which is a bug in it: x"
// message: the library panicked, which is a bug in it: x
// event: "a\u0000b\u001b[31m\u2028\u202e\ufffe😀"
// message: "a\u0000b\u001b[31m\u2028\u202e\ufffe😀"
// event: ""
// message: ""
function handler(event) { throw new Error(event); }
