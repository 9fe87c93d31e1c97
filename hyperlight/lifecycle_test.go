package hyperlight_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestHandleEvent(t *testing.T) {
	loaded := loadHandler(t, `function handler(event) { return { message: "Hello, " + event.name + "!" }; }`)
	assert.Equal(t, `{"message":"Hello, World!"}`, call(t, loaded, `{"name":"World"}`))
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

func TestTextSurvivesTheRoundTrip(t *testing.T) {
	loaded := loadHandler(t, `function handler(event) { return event; }`)
	for _, event := range []string{
		`"äöü ☃ 😊 \u0000 \ud83d\ude0a"`, `""`, `null`, `[]`, `{}`, `true`, `-0.5`,
		`"` + strings.Repeat("ß", 100_000) + `"`,
		`{"deep":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}`,
	} {
		assert.JSONEq(t, event, call(t, loaded, event))
	}
}

func TestHandlersKeepTheirStateUntilUnloaded(t *testing.T) {
	loaded := loadHandler(t, counter)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
	assert.Equal(t, `{"count":2}`, call(t, loaded, `{}`))

	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	assert.Equal(t, hyperlight.StatusConsumed, loaded.Status())

	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
	loaded, err = sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
}

func TestSeveralHandlers(t *testing.T) {
	sandbox := newSandbox(t)
	for _, name := range []string{"a", "b", "c", "scoped/name/😊", " "} {
		require.NoError(t, sandbox.AddHandler(name, hyperlight.Script(`function handler() { return "`+name+`"; }`)))
	}
	require.NoError(t, sandbox.RemoveHandler("b"))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	for _, name := range []string{"a", "c", "scoped/name/😊", " "} {
		result, err := loaded.HandleEvent(t.Context(), name, []byte(`{}`))
		require.NoError(t, err)
		assert.Equal(t, `"`+name+`"`, string(result))
	}
	_, err = loaded.HandleEvent(t.Context(), "b", []byte(`{}`))
	assert.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)
}

func TestClearHandlers(t *testing.T) {
	sandbox := newSandbox(t)
	require.NoError(t, sandbox.AddHandler("a", hyperlight.Script(counter)))
	require.NoError(t, sandbox.ClearHandlers())
	_, err := sandbox.Load(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrNoHandlers)
	require.NoError(t, sandbox.AddHandler("a", hyperlight.Script(counter)), "nothing was consumed")
}

func TestAsyncHandler(t *testing.T) {
	loaded := loadHandler(t, `
		async function twice(x) { return 2 * x; }
		async function handler(event) { return await twice(event.x); }`)
	assert.Equal(t, `42`, call(t, loaded, `{"x":21}`))
}

func TestWithGC(t *testing.T) {
	loaded := loadHandler(t, counter)
	for i, opts := range [][]hyperlight.CallOption{nil, {hyperlight.WithGC(true)}, {hyperlight.WithGC(false)}} {
		result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), opts...)
		require.NoError(t, err)
		assert.JSONEq(t, []string{`{"count":1}`, `{"count":2}`, `{"count":3}`}[i], string(result))
	}
}

// Cyclic garbage goes away in a collection and not before, so a weak reference to it tells whether the
// flag arrived.
func TestWithGCReachesTheGuest(t *testing.T) {
	loaded := loadHandler(t, `
		let weak;
		function handler(event) {
			if (event === "look") return weak.deref() === undefined;
			const cycle = {};
			cycle.self = cycle;
			weak = new WeakRef(cycle);
			return null;
		}`)
	for _, collects := range []bool{false, true} {
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"make"`), hyperlight.WithGC(collects))
		require.NoError(t, err)
		result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"look"`), hyperlight.WithGC(false))
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(collects), string(result))
	}
}

func TestSandboxesAreIndependent(t *testing.T) {
	first, second := loadHandler(t, counter), loadHandler(t, counter)
	assert.Equal(t, `{"count":1}`, call(t, first, `{}`))
	assert.Equal(t, `{"count":2}`, call(t, first, `{}`))
	assert.Equal(t, `{"count":1}`, call(t, second, `{}`))
	require.NoError(t, first.Close())
	assert.Equal(t, `{"count":2}`, call(t, second, `{}`))
}
