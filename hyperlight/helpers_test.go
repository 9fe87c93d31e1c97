package hyperlight_test

import (
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// newProto makes a sandbox without a runtime that is closed with the test.
func newProto(t *testing.T, opts ...hyperlight.Option) *hyperlight.ProtoJSSandbox {
	t.Helper()
	proto, err := hyperlight.New(opts...)
	require.NoError(t, err)
	closeWith(t, proto)
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

// load loads a sandbox that has its handlers.
func load(t *testing.T, sandbox *hyperlight.JSSandbox) *hyperlight.LoadedJSSandbox {
	t.Helper()
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	return loaded
}

// newSandbox boots a sandbox that is closed with the test.
func newSandbox(t *testing.T, opts ...hyperlight.Option) *hyperlight.JSSandbox {
	t.Helper()
	return boot(t, newProto(t, opts...))
}

// loadProto boots a sandbox with one handler, called "handler".
func loadProto(t *testing.T, proto *hyperlight.ProtoJSSandbox, source string) *hyperlight.LoadedJSSandbox {
	t.Helper()
	sandbox := boot(t, proto)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
	return load(t, sandbox)
}

// loadHandler is loadProto for a sandbox of its own.
func loadHandler(t *testing.T, source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	return loadProto(t, newProto(t, opts...), source)
}

// call runs "handler" and returns the result as text.
func call(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string) string {
	t.Helper()
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
	require.NoError(t, err)
	return string(result)
}

func closeWith(t *testing.T, closer io.Closer) {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, closer.Close()) })
}

// asError gets at the package's error.
func asError(t *testing.T, err error) *hyperlight.Error {
	t.Helper()
	var result *hyperlight.Error
	require.ErrorAs(t, err, &result)
	return result
}

// hasFeature says whether the library was built with a feature. Tests of a feature assert what is true
// with it, or what is true without: build.sh runs them with both libraries.
func hasFeature(t *testing.T, name string) bool {
	t.Helper()
	info, err := hyperlight.Library()
	require.NoError(t, err)
	return slices.Contains(info.Features, name)
}

const counter = `let count = 0; function handler(event) { return { count: ++count }; }`
