//go:build !linux

package hyperlight

// Guests run on Linux only.

func currentThread() int { return 0 }

var threadsMatter = func() bool { return false }
