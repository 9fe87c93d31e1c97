// Hello: an event goes in, a result comes out
//
// A handler is a function that takes JSON and returns JSON. It runs in a micro-VM of your own: no kernel, no files, no
// network. Press Run, or Ctrl+Enter.

function handler(event) {
  console.log("Somebody called", event.name, "says hello.");
  return { message: `Hello, ${event.name}!` };
}
