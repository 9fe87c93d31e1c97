// attacks: the host's log, by control characters and what is no text
// expect: result
// result: "done"
// prints: "a\u0000b\u001b[31m\r\n\ufffd,�undefined null Symbol\n"
function handler() {
	print("a\0b\x1b[31m\r\n");
	print(String.bytesFrom("/w", "base64url"));
	print(",");
	print("\ufffd");
	console.log(undefined, null, "Symbol");
	return "done";
}
