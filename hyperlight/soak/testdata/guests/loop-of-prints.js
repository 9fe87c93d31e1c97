// attacks: time and the host's memory, by lines without end
// expect: cancelled
// event: "lines"
// event: "no lines"
function handler(event) { for (;;) print(event === "lines" ? "text\n" : "text"); }
