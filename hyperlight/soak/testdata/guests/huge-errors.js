// attacks: memory and logs, by messages and stacks of any length
// expect: exception
// event: ["message", 100000]
// error: xxxxxxxx
// event: ["stack", 100000]
// message: m
function handler([key, size]) { const e = new Error("m"); e[key] = "x".repeat(size); throw e; }
