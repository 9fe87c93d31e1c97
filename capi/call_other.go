//go:build !(linux && amd64)

package capi

// Without a library to load nothing is called.
func (f *frame) callNative() {}

func currentGoroutine() uintptr { return 0 }

func deepen() {}
