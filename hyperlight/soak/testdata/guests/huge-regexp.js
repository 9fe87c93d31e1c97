// attacks: memory, by a short expression with a long program
// expect: result
// result: 47
function handler() { return new RegExp("(?:(?:(?:a{1,1000}){1,1000}b){1,1000}c){1,1000}").source.length; }
