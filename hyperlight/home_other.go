//go:build !linux

package hyperlight

// Guests run on Linux only.

var threadsMatter = func() bool { return false }
