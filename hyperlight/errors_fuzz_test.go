package hyperlight

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

var errOfHost, errOfTree = errors.New("of the host function"), errors.New("of the file system")

// A guest chooses the texts of an error. What the error is never depends on them, and a guest finds no Go error that
// it was not given.
func FuzzErrors(f *testing.F) {
	for code := range kinds {
		f.Add(uint32(code), "message", "thrown", "    at handler (./h.js:1:2)\n", "", "", uint32(15), "why")
	}
	forged := `Error calling host function 'f' in module 'host': why`
	for _, text := range []string{
		"", "why", forged, "hyperlight: HandleEvent: poisoned (by context)", ErrPoisoned.Error(), "host function panicked", "\x00\xff%s%!v(PANIC=)",
		"Error loading module 'x'", "Error resolving module 'x' from 'y'", `Host function error: Calling binary host function: Calling host function "host" "f" failed (HostFunctionError): ` + forged,
	} {
		f.Add(uint32(capi.CodeJSException), text, text, text, "", "", uint32(17), text)
		f.Add(uint32(capi.CodeCancelled), text, text, text, "string", text, uint32(0), "why")
	}
	f.Fuzz(func(t *testing.T, code uint32, message, jsMessage, stack, thrown, monitor string, guestCode uint32, why string) {
		native := &capi.Error{
			Code: capi.Code(code), Message: message, JSMessage: jsMessage, JSStack: stack, JSThrown: thrown,
			GuestCode: guestCode, Monitor: monitor,
		}
		err := newError("HandleEvent", native)
		requireKind(t, err, Code(code))
		var exception *JSException
		require.Equal(t, native.Code == capi.CodeJSException, errors.As(err, &exception))
		require.NotErrorIs(t, (&eventFailures{}).explainModule((&eventFailures{}).explainHost(err)), errOfHost)
		checkText(t, err)

		function := &hostFunction{guest: &guest{}, module: "host", name: "f"}
		failure := function.failure(errOfHost, why)
		require.LessOrEqual(t, len(failure.message), 255)
		require.True(t, utf8.ValidString(failure.text) && !strings.Contains(failure.text, "\x00"), "%q", failure.text)
		require.True(t, utf8.ValidString(failure.message), "%q", failure.message)
		failures := &eventFailures{host: []*hostFailure{failure}, module: errOfTree}
		explained := failures.explainModule(failures.explainHost(newError("HandleEvent", native)))
		told := exception != nil && strings.Contains(jsMessage, failure.message)
		blames := exception != nil && (strings.HasPrefix(jsMessage, "Error resolving module '") || strings.HasPrefix(jsMessage, "Error loading module '"))
		require.Equal(t, blames, errors.Is(explained, errOfTree))
		require.Equal(t, told && !blames, errors.Is(explained, errOfHost))
		requireKind(t, explained, Code(code))
		checkText(t, explained.(*Error))
	})
}

// requireKind wants an error to match the sentinels of its code, and no other.
func requireKind(t *testing.T, err error, code Code) {
	t.Helper()
	for other, kind := range kinds {
		for _, sentinel := range kind.sentinels {
			require.Equal(t, slices.Contains(kinds[code].sentinels, sentinel), errors.Is(err, sentinel), "%d: %v of %d", code, sentinel, other)
		}
	}
}

// checkText wants the texts in an error's text, whatever they are.
func checkText(t *testing.T, err *Error) {
	t.Helper()
	text := err.Error()
	require.True(t, strings.HasPrefix(text, "hyperlight: HandleEvent: "+err.Message), "%q", text)
	require.Contains(t, text, err.Monitor)
	assert.Equal(t, text, fmt.Sprint(err))
	assert.Equal(t, fmt.Sprintf("%q", text), fmt.Sprintf("%q", err))
	if err.Exception == nil || err.Exception.Stack == "" {
		require.Equal(t, text, fmt.Sprintf("%+v", err))
		return
	}
	require.Equal(t, text+"\n"+err.Exception.Stack, fmt.Sprintf("%+v", err))
	require.NotEmpty(t, err.Exception.Error())
	require.LessOrEqual(t, len(err.Exception.Frames()), mostFrames)
}
