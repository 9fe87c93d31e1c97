// attacks: the export that upstream appends, by a comment and a template that are not closed
// at: load
// expect: exception
// message: unexpected end of string
function handler() {}
const a = `
