package hyperlight

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func loadCounter(t *testing.T) *LoadedJSSandbox {
	t.Helper()
	loaded, err := counterTemplate.Load(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, loaded.Close()) })
	return loaded
}

var counterTemplate = Template{Add: func(s *JSSandbox) error {
	return s.AddHandler("handler", Script(`let count = 0; function handler() { return ++count; }`))
}}

func countTo(t *testing.T, loaded *LoadedJSSandbox, count string) {
	t.Helper()
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte("null"))
	require.NoError(t, err)
	assert.Equal(t, count, string(result))
}
