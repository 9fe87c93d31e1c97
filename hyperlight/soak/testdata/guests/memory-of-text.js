// attacks: memory, by text that doubles, which the engine keeps as a rope
// expect: out of memory
// event: "rope"
// event: "join"
// event: "concat"
// event: "replace"
const grow = {
	rope: () => { let s = "x"; for (;;) { s += s; s.charCodeAt(s.length - 1); } },
	join: () => { let s = "xy"; for (;;) s = [s, s].join(""); },
	concat: () => { let s = "é€"; for (;;) s = s.concat(s).toUpperCase(); },
	replace: () => { let s = "ab"; for (;;) s = s.replace(/./g, "$&$&"); },
};
function handler(event) { return grow[event](); }
