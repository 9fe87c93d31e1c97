// attacks: time, by imports of modules that exist and of modules that do not
// expect: cancelled
// event: "io"
// event: "none"
async function handler(event) { for (;;) await import(event).catch(() => {}); }
