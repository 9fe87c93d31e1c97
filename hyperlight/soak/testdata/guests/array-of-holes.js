// attacks: time or memory, by the text of an array of four billion holes
// expect: cancelled
// event: "join"
// event: "toString"
const text = { join: (a) => a.join(""), toString: (a) => String(a) };
function handler(event) { return text[event](new Array(2 ** 32 - 1)); }
