// Out of memory: the guest ends, the host does not notice
//
// Try it with more heap, or with fewer MiB in the event.

function handler(event) {
  const kept = [];
  for (let i = 1; i <= event.mebibytes; i++) {
    // In pieces: the largest block that a heap can give is half of it.
    for (let piece = 0; piece < 4; piece++) kept.push(new Uint8Array(200_000));
    console.log("got", i, "of", event.mebibytes);
  }
  return { pieces: kept.length };
}
