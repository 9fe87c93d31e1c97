package main

import "errors"

// bootGuest boots a guest on this host's hypervisor and runs JavaScript in it.
func bootGuest() error { return errors.New("stub") }
