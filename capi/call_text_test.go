//go:build linux && amd64

package capi

import (
	"fmt"
	"strings"
	"testing"
)

// Text is checked before the object, so a NULL object is enough to see what arrives in Rust: a fault's
// offset is in the message, and faultless text gets as far as the object.
func TestTextArrivesWhole(t *testing.T) {
	loadLibrary(t)
	long := strings.Repeat("ä", 1<<20)
	for name, call := range map[string]struct {
		subject string // of the messages
		object  string
		noNUL   bool
		with    func(text string) *Error
	}{
		"result of a host function": {
			"the result", "call", false,
			func(text string) *Error { return HostCallReturnJSON(HostCall{}, []byte(text), nil) },
		},
		"text of an exception": {
			"the error text", "call", false,
			func(text string) *Error { return HostCallFail(HostCall{}, text) },
		},
		"module of a host function": {
			"the module name", "proto", true,
			func(text string) *Error { return ProtoSandboxRegister(ProtoSandbox{}, text, "name", nothing) },
		},
		"name of a host function": {
			"the function name", "proto", true,
			func(text string) *Error { return ProtoSandboxRegister(ProtoSandbox{}, "module", text, nothing) },
		},
		"name of a handler to add": {
			"the handler name", "sandbox", true,
			func(text string) *Error { return SandboxAddHandler(Sandbox{}, text, "script", "") },
		},
		"script": {
			"the script", "sandbox", true,
			func(text string) *Error { return SandboxAddHandler(Sandbox{}, "name", text, "") },
		},
		"base path": {
			"the base path", "sandbox", true,
			func(text string) *Error { return SandboxAddHandler(Sandbox{}, "name", "script", text) },
		},
		"source of a module": {
			"the script", "sandbox", true,
			func(text string) *Error { return SandboxAddModule(Sandbox{}, "name", "user", text) },
		},
		"reason why a file cannot be read": {
			"the reason", "file", false,
			func(text string) *Error { return FileFail(File{}, text) },
		},
		"name of a handler to remove": {
			"the handler name", "sandbox", false,
			func(text string) *Error { return SandboxRemoveHandler(Sandbox{}, text) },
		},
		"name of a handler to call": {
			"the handler name", "loaded", true,
			func(text string) *Error {
				return discard(LoadedSandboxHandleEvent(LoadedSandbox{}, text, []byte("{}"), false, nil, Context{}, nil))
			},
		},
		"name of a handler to call often": {
			"the handler name", "loaded", true,
			func(text string) *Error {
				return discard(LoadedSandboxHandleEvents(LoadedSandbox{}, text, nil, false, false, nil, nil, Context{}, nil))
			},
		},
		"event": {
			"the event", "loaded", false,
			func(text string) *Error {
				return discard(LoadedSandboxHandleEvent(LoadedSandbox{}, "name", []byte(text), false, nil, Context{}, nil))
			},
		},
		"folder to save into": {
			"the folder", "snapshot", true,
			func(text string) *Error { return discard(SnapshotSave(Snapshot{}, text, "tag")) },
		},
		"tag to save under": {
			"the tag", "snapshot", false,
			func(text string) *Error { return discard(SnapshotSave(Snapshot{}, "dir", text)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			isNull := call.object + " is NULL"
			for _, test := range []struct{ text, message string }{
				{"", isNull},
				{"name", isNull},
				{long, isNull},
				{"\xff", call.subject + " is not UTF-8: invalid byte at offset 0"},
				{long + "\xc3", fmt.Sprintf("%s is not UTF-8: invalid byte at offset %d", call.subject, len(long))},
				{"a\xed\xa0\x80", call.subject + " is not UTF-8: invalid byte at offset 1"}, // half a surrogate pair
			} {
				requireError(t, call.with(test.text), CodeInvalidArgument, test.message)
			}
			for _, before := range []string{"", "name", long} {
				message := isNull
				if call.noNUL {
					message = fmt.Sprintf("%s contains a NUL byte at offset %d", call.subject, len(before))
				}
				requireError(t, call.with(before+"\x00after"), CodeInvalidArgument, message)
			}
		})
	}
}

// nil and empty are the same, (NULL, 0).
func TestNoEvent(t *testing.T) {
	loadLibrary(t)
	for _, event := range [][]byte{nil, {}} {
		err := discard(LoadedSandboxHandleEvent(LoadedSandbox{}, "name", event, true, nil, Context{}, nil))
		requireError(t, err, CodeInvalidArgument, "loaded is NULL")
	}
}
