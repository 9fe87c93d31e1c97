package parity_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const redirect = `
	function handler(event) {
		event.request.uri = "/redirected.html";
		return event
	}`

// TestLoadedJSSandbox is the test module of upstream's src/sandbox/loaded_js_sandbox.rs.
func TestLoadedJSSandbox(t *testing.T) {
	const counter = `
		let count = 0;
		function handler(event) {
			event.count = ++count;
			return event
		}`

	handleGC := func(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string) string {
		t.Helper()
		result, err := loaded.HandleEvent(t.Context(), "handler", []byte(event), hyperlight.WithGC(true))
		require.NoError(t, err)
		return string(result)
	}
	countsFromOne := func(t *testing.T, loaded *hyperlight.LoadedJSSandbox) {
		t.Helper()
		assert.Equal(t, `{"count":1}`, handleGC(t, loaded, `{ "count": 0 }`))
		assert.Equal(t, `{"count":2}`, handleGC(t, loaded, `{ "count": 0 }`))
	}

	t.Run("test_handle_event", func(t *testing.T) {
		loaded := loadHandler(t, redirect)
		assert.Equal(t, `{"request":{"uri":"/redirected.html"}}`,
			handleGC(t, loaded, `{ "request": { "uri": "/index.html" } }`))
	})

	t.Run("test_handle_event_accumulates_state", func(t *testing.T) {
		countsFromOne(t, loadHandler(t, counter))
	})

	t.Run("test_snapshot_and_restore", func(t *testing.T) {
		counts := func(loaded *hyperlight.LoadedJSSandbox, name string, want int) {
			t.Helper()
			assert.Equal(t, fmt.Sprintf(`{"count":%d}`, want), handle(t, loaded, name, `{ "count": 0 }`))
		}
		loaded := loadHandler(t, counter)
		counts(loaded, "handler", 1)
		snapshot := takeSnapshot(t, loaded)
		counts(loaded, "handler", 2)
		counts(loaded, "handler", 3)
		restore(t, loaded, snapshot)
		counts(loaded, "handler", 2)

		sandbox := unload(t, loaded)
		addHandler(t, sandbox, "handler2", counter)
		reloaded := load(t, sandbox)
		counts(reloaded, "handler2", 1)
		_, err := reloaded.HandleEvent(t.Context(), "handler", []byte(`{ "count": 0 }`))
		require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)

		restore(t, reloaded, snapshot)
		counts(reloaded, "handler", 2)
		_, err = reloaded.HandleEvent(t.Context(), "handler2", []byte(`{ "count": 0 }`))
		require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)
	})

	t.Run("test_add_handler_unload_and_reuse_resets_state", func(t *testing.T) {
		loaded := loadHandler(t, counter)
		countsFromOne(t, loaded)

		sandbox := unload(t, loaded)
		addHandler(t, sandbox, "handler", counter)
		countsFromOne(t, load(t, sandbox))
	})

	t.Run("test_unload", func(t *testing.T) {
		sandbox := unload(t, loadHandler(t, redirect))
		assert.Equal(t, hyperlight.StatusReady, sandbox.Status())
	})

	// Upstream's test has a monitor of its own, which always fails.
	t.Run("test_handle_event_with_monitor_fails_if_monitor_cannot_start", func(t *testing.T) {
		failsClosed(t, redirect, `{ "request": { "uri": "/index.html" } }`)
	})
}
