// attacks: memory, by one huge request
// expect: out of memory
// event: "repeat"
// event: "padStart"
// event: "typed array"
// event: "fill"
// event: "resize"
// event: "spread"
// event: "split"
// event: "from"
// event: "bigint"
// expect: exception
// message: BigInt is too large to allocate
const requests = {
	repeat: () => "x".repeat(2 ** 29),
	padStart: () => "x".padStart(2 ** 29),
	"typed array": () => new Uint8Array(2 ** 30),
	fill: () => new Array(2 ** 25).fill(1),
	bigint: () => 1n << 100_000_000n,
	resize: () => { const b = new ArrayBuffer(1, { maxByteLength: 2 ** 29 }); b.resize(2 ** 29); return b.byteLength; },
	spread: () => Math.max(...new Array(2 ** 25)),
	split: () => "x".repeat(2_000_000).split(""),
	from: () => Array.from({ length: 2 ** 25 }),
};
function handler(event) { requests[event](); return "never"; }
