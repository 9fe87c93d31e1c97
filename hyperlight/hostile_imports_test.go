package hyperlight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// manyImports imports event.times different paths, each of a prefix and so many times the unit.
const manyImports = `async function handler(event) {
	let last;
	for (let i = 0; i < event.times; i++) {
		const path = event.prefix + i + "/" + event.unit.repeat(event.units);
		last = await import(path).then(() => "found", e => e.message);
	}
	return last;
}`

// Upstream's resolver finds the folders above a path by recursion, and remembers each with its whole path: the
// first of these would end the process by a stack overflow, the last by 2 GB of paths.
func TestGuestCannotOverloadTheResolver(t *testing.T) {
	for name, event := range map[string]string{
		"deep":      `{"times":1,"prefix":"./","unit":"a/","units":200000}`,
		"deep bare": `{"times":1,"prefix":"x","unit":"/a","units":200000}`,
		"too long":  `{"times":1,"prefix":"./","unit":"aaaaaaa/","units":2000}`,
		"too many":  `{"times":2000,"prefix":"./","unit":"a/","units":1000}`,
	} {
		t.Run(name, func(t *testing.T) {
			sandbox := newImporter(t, files(map[string]string{"a.js": "export const a = 1;"}))
			addAt(t, sandbox, "handler", "/", manyImports)
			loaded := load(t, sandbox)
			harmless := `{"times":2,"prefix":"./","unit":"a/","units":100}`
			assert.Contains(t, result(t, loaded, "handler", harmless), "Error resolving module")
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())

			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
			require.ErrorIs(t, err, hyperlight.ErrGuestAborted)
			assert.Contains(t, err.Error(), "the guest imports")
			assert.Equal(t, hyperlight.StatusUnrecoverable, loaded.Status())
		})
	}
}

func TestGuestCannotOverloadTheResolverDuringLoad(t *testing.T) {
	sandbox := newImporter(t, files(nil))
	addAt(t, sandbox, "handler", "/", `await import("./" + "a/".repeat(200000)); function handler() {}`)
	_, err := sandbox.Load(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrGuestAborted)
	assert.Equal(t, hyperlight.StatusConsumed, sandbox.Status())
}
