package soak_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// functions are host functions of the module "host", which handlers find under that name.
type functions map[string]any

// patience is how long is waited for what takes no time, before it counts as hanging.
const patience = time.Minute

// newProto makes a sandbox without a runtime that is closed with the test.
func newProto(t *testing.T, functions functions, opts ...hyperlight.Option) *hyperlight.ProtoJSSandbox {
	t.Helper()
	proto, err := hyperlight.New(opts...)
	require.NoError(t, err)
	closeWith(t, proto)
	for name, function := range functions {
		require.NoError(t, proto.Register("host", name, function))
	}
	return proto
}

// boot loads the runtime of a sandbox.
func boot(t *testing.T, proto *hyperlight.ProtoJSSandbox) *hyperlight.JSSandbox {
	t.Helper()
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	return sandbox
}

// load boots a sandbox with one handler, called "handler", and loads it.
func load(t *testing.T, functions functions, source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	sandbox := boot(t, newProto(t, functions, opts...))
	if functions != nil {
		source = `import * as host from "host";` + source
	}
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	return loaded
}

// call runs "handler" and returns the result as text.
func call(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string) string {
	t.Helper()
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
	require.NoError(t, err)
	return string(result)
}

// snapshot takes one that is closed with the test.
func snapshot(t *testing.T, loaded *hyperlight.LoadedJSSandbox) *hyperlight.Snapshot {
	t.Helper()
	snapshot, err := loaded.Snapshot(t.Context())
	require.NoError(t, err)
	closeWith(t, snapshot)
	return snapshot
}

// closeWith closes with the test. Close never fails.
func closeWith(t *testing.T, closer io.Closer) {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, closer.Close()) })
}

// isOneOf is nil if the error is one of those expected, of which some may be nil.
func isOneOf(err error, expected ...error) error {
	for _, expected := range expected {
		if expected != nil && errors.Is(err, expected) {
			return nil
		}
	}
	return fmt.Errorf("not one of %q: %w", expected, err)
}

// counter is a handler that counts its calls.
const counter = `let count = 0; function handler() { return ++count; }`
