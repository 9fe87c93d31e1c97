// attacks: the host's log, by many lines
// event: 10000
// soak: 1000000
// expect: result
// result: "done"
// printed: 1048576
function handler(n) {
	const line = "x".repeat(199) + "\n";
	for (let i = 0; i < n; i++) print(i < 6000 ? line : "x"); // Without its end a line is kept back.
	return "done";
}
