package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

func TestWays(t *testing.T) {
	lib, err := load()
	require.NoError(t, err)
	for _, create := range ways {
		w, err := create(lib)
		require.NoError(t, err)
		t.Run(w.name(), func(t *testing.T) {
			require.Equal(t, capi.Features(), w.call(3))
			w.callback(5)
			if counting, ok := w.(interface{ drops() int }); ok { // ours says nothing of what was dropped
				require.Equal(t, 4, counting.drops())
			}
		})
	}
}
