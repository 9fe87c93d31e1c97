// attacks: a load that waits for what never comes
// at: load
// expect: guest error
// error: WouldBlock
await new Promise(() => {});
export function handler() {}
