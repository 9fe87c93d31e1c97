package parity_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestTermination is upstream's tests/termination.rs.
func TestTermination(t *testing.T) {
	t.Run("handle_termination", func(t *testing.T) {
		const source = `
			function handler(event) {
				const start = Date.now();
				let now = start;
				while (now - start < 4000) {
					now = Date.now();
				}
				return event
			}`
		loaded := loadHandler(t, source)
		snapshot := takeSnapshot(t, loaded)
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		handle, err := loaded.InterruptHandle()
		require.NoError(t, err)
		killed := make(chan struct{})
		time.AfterFunc(time.Second, func() {
			handle.Kill()
			close(killed)
		})
		_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		<-killed
		cancelled(t, loaded, err, "interrupt")
		restore(t, loaded, snapshot)
	})
}
