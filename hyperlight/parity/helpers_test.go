package parity_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// newSandbox boots a sandbox of upstream's sizes that is closed with the test.
func newSandbox(t *testing.T, opts ...hyperlight.Option) *hyperlight.JSSandbox {
	t.Helper()
	return newSandboxWith(t, func(*hyperlight.ProtoJSSandbox) {}, opts...)
}

func addHandler(t *testing.T, sandbox *hyperlight.JSSandbox, name, source string) {
	t.Helper()
	require.NoError(t, sandbox.AddHandler(name, hyperlight.Script(source)))
}

func addModule(t *testing.T, sandbox *hyperlight.JSSandbox, name, source string) {
	t.Helper()
	require.NoError(t, sandbox.AddModule(name, hyperlight.Script(source)))
}

func load(t *testing.T, sandbox *hyperlight.JSSandbox) *hyperlight.LoadedJSSandbox {
	t.Helper()
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	return loaded
}

// loadFails loads the sandbox and returns the message of the JavaScript exception that prevents it.
func loadFails(t *testing.T, sandbox *hyperlight.JSSandbox) string {
	t.Helper()
	loaded, err := sandbox.Load(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.Nil(t, loaded)
	return asError(t, err).Exception.Message
}

// loadHandler boots a sandbox with one handler, called "handler".
func loadHandler(t *testing.T, source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	sandbox := newSandbox(t, opts...)
	addHandler(t, sandbox, "handler", source)
	return load(t, sandbox)
}

// loadWith boots a sandbox with host functions and one handler, called "handler".
func loadWith(t *testing.T, setUp func(*hyperlight.ProtoJSSandbox), source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	sandbox := newSandboxWith(t, setUp, opts...)
	addHandler(t, sandbox, "handler", source)
	return load(t, sandbox)
}

// newSandboxWith is newSandbox with host functions.
func newSandboxWith(t *testing.T, setUp func(*hyperlight.ProtoJSSandbox), opts ...hyperlight.Option) *hyperlight.JSSandbox {
	t.Helper()
	proto, err := hyperlight.New(append([]hyperlight.Option{hyperlight.WithUpstreamDefaults()}, opts...)...)
	require.NoError(t, err)
	closeWith(t, proto)
	setUp(proto)
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	return sandbox
}

func register(t *testing.T, proto *hyperlight.ProtoJSSandbox, module, name string, function any) {
	t.Helper()
	require.NoError(t, proto.Register(module, name, function))
}

func unload(t *testing.T, loaded *hyperlight.LoadedJSSandbox) *hyperlight.JSSandbox {
	t.Helper()
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	return sandbox
}

// handle runs a handler and returns its result as text.
func handle(t *testing.T, loaded *hyperlight.LoadedJSSandbox, name, event string) string {
	t.Helper()
	result, err := loaded.HandleEvent(t.Context(), name, []byte(event))
	require.NoError(t, err)
	return string(result)
}

// refused asserts that an operation failed with a sentinel and with upstream's text.
func refused(t *testing.T, err, sentinel error, text string) {
	t.Helper()
	require.ErrorIs(t, err, sentinel)
	assert.Equal(t, text, asError(t, err).Message)
}

func asError(t *testing.T, err error) *hyperlight.Error {
	t.Helper()
	var result *hyperlight.Error
	require.ErrorAs(t, err, &result)
	return result
}

func closeWith(t *testing.T, closer io.Closer) {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, closer.Close()) })
}
