package main

import (
	"errors"
	"testing"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/stretchr/testify/require"
)

// These failures are the machine's, so a test cannot cause them.
func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		name     string
		err      error
		exitCode int
		text     string
	}{
		{
			"no hypervisor", &hyperlight.Error{Op: "New", Code: hyperlight.CodeNoHypervisor, Message: "none"},
			exitNoHypervisor, "run: none\n" + hypervisorAdvice,
		},
		{
			"hypervisor unusable", &hyperlight.Error{Op: "LoadRuntime", Code: hyperlight.CodeHypervisorUnusable, Message: "broken"},
			exitNoHypervisor, "run: broken\n" + hypervisorAdvice,
		},
		{
			"no library", &hyperlight.Error{Op: "New", Code: hyperlight.CodeLibraryNotFound, Message: "nowhere"},
			exitFailure, "run: nowhere\n`./build.sh` makes the library.",
		},
		{
			"any other", &hyperlight.Error{Op: "HandleEvent", Code: hyperlight.CodeVMFailure, Message: "the VM fell over"},
			exitFailure, "run: the VM fell over",
		},
		{
			"an unknown failure of the guest",
			&inputError{"h.js", &hyperlight.Error{Op: "Load", Code: hyperlight.CodeGuestError, Message: "Guest error occurred GuestError: what?"}},
			exitFailure, "h.js: Guest error occurred GuestError: what?",
		},
		{"not of the package", errors.New("odd"), exitFailure, "run: odd"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, exitCode := describe(test.err)
			require.Equal(t, test.exitCode, exitCode)
			require.Equal(t, test.text, text)
		})
	}
}
