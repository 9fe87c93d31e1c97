//go:build !(linux && amd64)

package capi

import (
	"errors"
	"fmt"
	"runtime"
)

func supported() error {
	return fmt.Errorf("%w: unsupported platform %s/%s; hyperlight-js runs on linux/amd64 with glibc",
		errors.ErrUnsupported, runtime.GOOS, runtime.GOARCH)
}

// Load asks supported first, so these are not reached.
func open(string) error      { return supported() }
func openBytes([]byte) error { return supported() }
