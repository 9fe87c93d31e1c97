package hyperlight

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Below the queue of this package, the native library refuses a host function that calls back into its own
// sandbox, and answers what never waits.
func TestCallingBackIsBusy(t *testing.T) {
	proto, err := New()
	require.NoError(t, err)
	var loaded *LoadedJSSandbox
	var busy, busyToo *capi.Error
	require.NoError(t, proto.Register("host", "again", func() {
		_, busy = capi.LoadedSandboxHandleEvent(loaded.h.native, "handler", []byte("{}"), false, nil, capi.Context{}, nil)
		_, busyToo = capi.LoadedSandboxUnload(loaded.h.native)
		status, err := capi.LoadedSandboxStatus(loaded.h.native)
		assert.Nil(t, err)
		assert.Equal(t, capi.StatusReady, status)
	}))
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", Script(`
		import * as host from "host";
		function handler() { host.again(); return "done"; }`)))
	loaded, err = sandbox.Load(t.Context())
	require.NoError(t, err)
	defer loaded.Close()
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte("{}"))
	require.NoError(t, err)
	assert.Equal(t, `"done"`, string(result))
	for _, err := range []*capi.Error{busy, busyToo} {
		require.NotNil(t, err)
		assert.Equal(t, capi.CodeBusy, err.Code)
	}
}
