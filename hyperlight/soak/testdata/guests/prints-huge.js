// attacks: the host's log, by one print of more than it takes
// event: 2000000
// expect: result
// result: "done"
// printed: 1048576
function handler(n) { print("x".repeat(n)); return "done"; }
