// Package gotest is what vmrun's test runs with go test -exec.
package gotest

// Double returns twice n.
func Double(n int) int { return 2 * n }
