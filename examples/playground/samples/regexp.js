// Regular expression: one that never ends
//
// A pattern like this one tries all ways to divide the text, 2 to the power of its length. The guest is in the middle of
// the engine's own code then, and is stopped there just as well.

function handler(event) {
  console.log("Matching", event.text.length, "characters ...");
  return { matches: /^(a+)+$/.test(event.text) };
}
