package gotest

import (
	"os"
	"testing"
)

func TestInMachine(t *testing.T) {
	if os.Getenv("HYPERLIGHT_VM_INSIDE") != "1" {
		t.Error("not in the machine")
	}
	if text, err := os.ReadFile("testdata/file"); err != nil || string(text) != "found\n" {
		t.Errorf("testdata: %q, %v", text, err)
	}
	if Double(2) != 4 {
		t.Error("2 * 2")
	}
}
