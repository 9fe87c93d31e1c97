package parity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestHandlers is upstream's tests/handlers.rs.
func TestHandlers(t *testing.T) {
	const echo = `function handler(e) { return e; }`

	t.Run("handle_event", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				event.result = "Hello, " + event.name + "!";
				return event
			}`)
		assert.Equal(t, `{"name":"world","result":"Hello, world!"}`,
			handle(t, loaded, "handler", `{ "name": "world", "result": "" }`))
	})

	t.Run("check_javascript_handler_returns_value", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				1
			}`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		refused(t, err, hyperlight.ErrNoValue,
			"Guest error occurred GuestError: Error: The handler function did not return a value")
	})

	t.Run("add_handler_rejects_empty_name", func(t *testing.T) {
		err := newSandbox(t).AddHandler("", hyperlight.Script(echo))
		refused(t, err, hyperlight.ErrInvalidArgument, "Handler name must not be empty")
	})

	t.Run("remove_handler_rejects_empty_name", func(t *testing.T) {
		err := newSandbox(t).RemoveHandler("")
		refused(t, err, hyperlight.ErrInvalidArgument, "Handler name must not be empty")
	})

	t.Run("handle_event_rejects_empty_name", func(t *testing.T) {
		_, err := loadHandler(t, echo).HandleEvent(t.Context(), "", []byte(`{}`))
		refused(t, err, hyperlight.ErrInvalidArgument, "Handler name must not be empty")
	})
}
