export function handler(event) {
  switch (event) {
    case "loop":
      console.log("it runs"); // so that the host knows
      while (true) {}
    case "fill":
      for (const all = []; ; ) all.push(new Uint8Array(1 << 16).fill(1));
    case "talk":
      return "x".repeat(100_000);
  }
  return "done";
}
