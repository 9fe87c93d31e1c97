// attacks: the marks that stand for blobs while arguments are decoded, by text that looks like them
// expect: result
// calls: 1
// result: [{"0":7},"\u0000hljs:0","\u0000blob 0\u0000","{\"__bin__\":0}","\u0000","__bin__"]
import * as host from "host";
function handler() {
	return host.echo([new Uint8Array([7]), "\0hljs:0", "\0blob 0\0", '{"__bin__":0}', "\0", "__bin__"]);
}
