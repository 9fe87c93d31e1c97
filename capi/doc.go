// Package capi binds the C ABI of libhyperlight_js_capi.so, one Go function per symbol, and finds and
// loads that library. It is the room between package hyperlight, which users import, and rust-shim,
// which exports the symbols; hyperlight_js.h in this folder is the contract of both.
//
// What belongs here: symbols, pointers and lengths, codes, callbacks, the loader. What does not:
// JSON, Go's contexts, options, queues; these are package hyperlight's. Objects of this package are as
// unsafe as their C counterparts: no locks, no cleanups, freeing twice is undefined behaviour.
//
// The functions come in the order of the header, each under its C prototype; a test compares them.
// All unsafe code of the Go side is in frame.go, callback_linux_amd64.go and dl_linux_amd64.go.
package capi
