//go:build hyperlight_embed

package hyperlight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func init() {
	libraryCases["embedded"] = func(t *testing.T) {
		takeLibrary(t)
		info, err := hyperlight.Library()
		require.NoError(t, err)
		assert.Equal(t, "the bytes embedded in the program", info.Place)
		mustRun(t)
	}
}
