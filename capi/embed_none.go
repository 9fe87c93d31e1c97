//go:build !hyperlight_embed

package capi

// Without the build tag hyperlight_embed a program carries no library.
var embedded []byte
