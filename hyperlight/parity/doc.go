// Package parity holds no code, only tests: those of hyperlight-js 0.4.0, one by one, written against
// package hyperlight. They prove that what upstream promises in Rust holds in Go.
//
// Each of upstream's test files has one file and one test function here, and each of upstream's tests is a
// subtest that carries its name: handle_event of tests/handlers.rs is
//
//	go test ./hyperlight/parity -run '^TestHandlers$/^handle_event$'
//
// The inputs, scripts and events, and the expected values are upstream's. Where upstream accepts any
// error, or any text that contains some words, a test here asks for the sentinel and mostly for the
// whole text; where it counts what a sandbox holds, which Go cannot, a test finds out by using it.
// Like upstream's, each test boots its own sandboxes, with upstream's sizes.
package parity
