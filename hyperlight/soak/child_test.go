package soak_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// childVariable names the test that this process is the child of.
const childVariable = "HYPERLIGHT_SOAK_CHILD"

// reported is what a child may print: the lines of package testing, and those of its logs.
var reported = regexp.MustCompile(`^(=== .*|\s*--- PASS: .*|    .*|PASS|)$`)

// inChild says whether this is a process of the test's own, in which it may do to the process what it likes. If
// not, it runs the test in one, as change prepares it, and the caller returns.
func inChild(t *testing.T, change ...func(*exec.Cmd)) bool {
	t.Helper()
	if os.Getenv(childVariable) == t.Name() {
		return true
	}
	program, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(size(15, 80))*time.Minute)
	defer cancel()
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	child := exec.CommandContext(ctx, program, "-test.run="+pattern, "-test.v", fmt.Sprintf("-soak=%v", *full), fmt.Sprintf("-seed=%d", *seed))
	child.Env = append(os.Environ(), childVariable+"="+t.Name())
	for _, change := range change {
		change(child)
	}
	output, err := child.CombinedOutput()
	require.NoError(t, ctx.Err(), "the child hangs:\n%s", output)
	require.NoError(t, err, "%s", output)
	require.Contains(t, string(output), "--- PASS: "+t.Name())
	for line := range strings.Lines(string(output)) {
		line = strings.TrimSuffix(line, "\n")
		assert.Regexp(t, reported, line, "the library prints")
		if _, text, found := strings.Cut(line, ": figure: "); found {
			t.Log("figure: " + text)
		}
	}
	return false
}

// changesTheMachine is for tests that nobody wants on a machine of his own.
func changesTheMachine(t *testing.T) {
	t.Helper()
	require.Equal(t, "1", os.Getenv("HYPERLIGHT_VM_INSIDE"), "this test is for the emulated machine: HYPERLIGHT_VM=always")
}
