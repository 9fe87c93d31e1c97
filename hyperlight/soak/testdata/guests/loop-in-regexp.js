// attacks: time, in the regular expression engine, which runs no bytecode
// expect: cancelled
// event: ["(a+)+$", "a", 100, "b"]
// event: ["(a|aa)+$", "a", 100, "b"]
// event: ["^(\\w+\\s?)*$", "a", 60, "!"]
// event: ["(.*)*(.*)*(.*)*x", "a", 2000, ""]
function handler([pattern, unit, times, end]) { return new RegExp(pattern).test(unit.repeat(times) + end); }
