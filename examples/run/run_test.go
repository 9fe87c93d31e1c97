package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// outcome is all that a run leaves behind.
type outcome struct {
	exitCode       int
	stdout, stderr string
}

// tryRun runs the program with these arguments.
func tryRun(stdin string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	exitCode := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{exitCode, stdout.String(), stderr.String()}
}

// inFolder makes a new folder with these files the working directory, so that messages name files in the
// same way wherever the test runs.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	}
}
