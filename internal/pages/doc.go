// Package pages checks what the repository's Markdown says against its code: that links lead somewhere, that Go
// symbols and tests that are named exist, that code is that of examples, which run as tests, and that the tables of
// errors and of promises are complete. There is nothing in it but tests, which run on the host, since they need no guest.
package pages
