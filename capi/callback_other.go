//go:build !(linux && amd64)

package capi

// Without a library to load there is nobody to call back.
type trampolines struct{ print, function, drop uintptr }

func callbackAddresses() trampolines { return trampolines{} }
