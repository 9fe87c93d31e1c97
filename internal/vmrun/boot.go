package main

import (
	"context"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// bootGuest boots a guest on this host's hypervisor and runs JavaScript in it,
// which is what decides: a hypervisor may be there and be able to do neither.
func bootGuest() error {
	if _, err := hyperlight.Library(); err != nil {
		return &notTriedError{err.Error()}
	}
	return hyperlight.Probe(context.Background())
}
