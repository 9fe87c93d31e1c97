// Package soak holds no code, only tests that try to break the binding: signals, stops, forgotten and misused
// objects, leaks, hostile guests and callers, faults of the machine, and random orders of everything.
//
// Each test has two sizes. `./build.sh test` runs the quick one; `./build.sh soak` runs the full one and writes a
// page about it, out of the figures that the tests report. By hand:
//
//	go test -exec ~/.cache/hyperlight-js-go/bin/vmrun ./hyperlight/soak -run TestOrder -args -soak -seed 42
//
// What a test draws by chance it draws from the seed, which it prints.
package soak
