//go:build !hyperlight_gcstorm

package capi

const storms = false
