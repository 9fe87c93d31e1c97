// attacks: require, by what is not the name of a module
// expect: result
// event: "types"
// result: ["function","TypeError","TypeError","TypeError","TypeError"]
// event: "names"
// result: ["object","object","TypeError","object"]
function handler(event) {
	if (event === "names") {
		return ["./probe", "../etc/passwd", "\0", "a".repeat(10_000)].map((name) => { try { return typeof require(name); } catch (e) { return e.name; } });
	}
	return [typeof require("io").print, ...[Symbol("io"), {}, undefined, 1n].map((name) => {
		try { return typeof require(name); } catch (e) { return e.name; }
	})];
}
