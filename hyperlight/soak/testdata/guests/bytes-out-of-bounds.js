// attacks: the guest's own memory, by a view of a buffer that became too small
// event: [4, 8, 2, 2]
// expect: exception
// error: got object, not a Uint8Array
// event: [0, 8, 2, 16]
// expect: result
// result: 8
import * as host from "host";
function handler([offset, length, small, size]) {
	const buffer = new ArrayBuffer(16, { maxByteLength: 1_000_000 });
	const view = new Uint8Array(buffer, offset, length);
	buffer.resize(small);
	buffer.resize(size);
	return host.bytes(view);
}
