// attacks: time, by require
// expect: cancelled
function handler() { for (;;) try { require("none"); } catch {} }
