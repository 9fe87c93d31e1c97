// attacks: the output buffer, by arguments near its size and beyond it
// expect: result
// event: 1000000
// result: 1000000
// calls: 1
// event: 1048576
// expect: out of memory
// calls: 0
// event: 3000000
// expect: out of memory
// calls: 0
import * as host from "host";
function handler(size) {
	return host.length("x".repeat(size));
}
