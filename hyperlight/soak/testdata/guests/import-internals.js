// attacks: modules that are not for guests
// expect: result
// result: ["io","crypto","console","require","host","io\u0000"]
const names = ["io", "crypto", "console", "require", "host", "std", "os", "qjs:std", "qjs:os", "fs", "node:fs", "hyperlight", "hyperlight:host",
	"CallHostJsFunction", "RegisterHostModules", "ResolveModule", "LoadModule", "CurrentTimeMicros", "RunHandler", "register_handler",
	"user:", "user:probe", "host:add", "", ".", "..", "/", "/dev/kvm", "/proc/self/mem", "../../../../etc/passwd", "./probe", "./loop-in-handler",
	"\0", "io\0", "file:///etc/passwd", "data:text/javascript,export default 1", "./import-internals.js"];
async function handler() {
	const found = [];
	for (const name of names) await import(name).then(() => found.push(name), () => {});
	return found;
}
