//go:build !(linux && amd64)

package capi

// Without a library to load there is nobody to call back.
type trampolines struct{ print, function, stat, read, drop uintptr }

var callbackFunctions trampolines
