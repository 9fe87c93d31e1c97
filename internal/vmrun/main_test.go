package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// vmrunPath is the program under test, built by TestMain.
var vmrunPath string

// TestMain builds vmrun. When vmrun runs this test binary as its BINARY, it
// does what payloadEnv says instead; as a probe's child, what fakeProbeEnv says.
func TestMain(m *testing.M) {
	if os.Getenv(probeChildEnv) != "" {
		fakeProbe(os.Getenv(fakeProbeEnv))
		return
	}
	if name := os.Getenv(payloadEnv); name != "" {
		payloads[name]()
		return
	}
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vmrun-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	vmrunPath = filepath.Join(dir, "vmrun")
	build := exec.Command("go", "build", "-o", vmrunPath, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build vmrun:", err)
		return 1
	}
	return m.Run()
}
