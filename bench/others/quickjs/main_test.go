package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/bench/others/enginetest"
	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

func TestEngine(t *testing.T) {
	engine, err := newEngine(t.Context(), wasmFile)
	require.NoError(t, err)
	enginetest.Run(t, engine)

	t.Run("memory has a limit", func(t *testing.T) {
		guest, err := engine.Start("function handler(event) { return new Uint8Array(event.bytes).length; }", nil)
		require.NoError(t, err)
		_, err = guest.Handle([]byte(`{"bytes":1000000}`), false)
		require.NoError(t, err)
		_, err = guest.Handle(fmt.Appendf(nil, `{"bytes":%d}`, workload.HeapBytes), false)
		require.ErrorContains(t, err, "out of memory")
	})
}

func TestWithoutQuickJS(t *testing.T) {
	_, err := newEngine(t.Context(), "nowhere")
	require.ErrorContains(t, err, "npm ci")
}
