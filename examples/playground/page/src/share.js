// Share by URL: code, event and limits are in the fragment, compressed. It never reaches a server.

async function through(stream, bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();
}

export async function encode(shared) {
  const packed = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(shared)));
  let text = "";
  for (const byte of new Uint8Array(packed)) text += String.fromCharCode(byte);
  return `#1${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

const mostBytes = 1 << 20; // a small fragment may unpack to a lot

// decode is undefined for a fragment that is none of ours, and fails for one that is damaged.
export async function decode(fragment) {
  if (!fragment.startsWith("#1")) return undefined;
  const packed = Uint8Array.from(atob(fragment.slice(2).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    if (text.length > mostBytes) throw new Error("it is too long");
  }
  const { source, event, limits } = JSON.parse(text);
  if (typeof source !== "string" || typeof event !== "string") throw new Error("it has no code or no event");
  return { source, event, limits };
}
