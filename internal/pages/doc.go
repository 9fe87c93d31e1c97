// Package pages checks what the repository's Markdown says against its code: that links lead somewhere, that Go
// symbols and tests that are named exist, that code is that of examples, which run as tests, that the tables of
// errors and of promises are complete, that versions, texts of errors and the names of upstream's Node.js binding are
// those that there are, and that the drawings are of their source. There is nothing in it but tests, which run on the
// host, since they need no guest.
package pages
