// attacks: print, by arguments that are no text
// expect: result
// event: "print"
// result: ["TypeError","TypeError","TypeError"]
// event: "console.log"
// result: ["TypeError","1","TypeError"]
function handler(event) {
	const write = event === "print" ? print : console.log;
	return [Symbol("a"), { toString() { throw 1; } }, "\ud800"].map((value) => {
		try { write(value); return "printed"; } catch (e) { return e.name ?? String(e); }
	});
}
