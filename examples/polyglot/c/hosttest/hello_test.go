// Package hosttest compiles the program on the host, and runs it where guests run.
package hosttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHello(t *testing.T) {
	vmrun := os.Getenv("HYPERLIGHT_VMRUN")
	require.NotEmpty(t, vmrun, "use ./build.sh test-examples, which sets HYPERLIGHT_VMRUN")
	folder := t.TempDir()
	said, err := exec.Command("make", "-C", "..", "OUT="+folder, "CFLAGS=-O2 -Wall -Wextra -Wpedantic -Werror").CombinedOutput()
	require.NoError(t, err, "%s", said)

	var stderr strings.Builder
	cmd := exec.Command(vmrun, filepath.Join(folder, "hello"))
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "HYPERLIGHT_VM_FILES=", "HYPERLIGHT_VM_TIMEOUT=10m")
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)

	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "    "+strings.Join(strings.Split(strings.TrimSpace(string(stdout)), "\n"), "\n    ")+"\n",
		"the README shows what it prints")
}
