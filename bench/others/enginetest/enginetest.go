// Package enginetest tests what the benchmarks take for granted of an engine.
package enginetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/bench/others/handlers"
)

// Run runs the tests.
func Run(t *testing.T, engine handlers.Engine) {
	t.Run("echo", func(t *testing.T) {
		guest := start(t, engine, "function handler(event) { return event; }", nil)
		for _, event := range []string{`{"a":1}`, `{"text":"\u0000é€😀"}`, `{"text":"` + strings.Repeat("x", 100_000) + `"}`, `[]`, `1`} {
			result, err := guest.Handle([]byte(event), engine.CollectsGarbage())
			require.NoError(t, err)
			require.JSONEq(t, event, string(result))
		}
	})
	t.Run("host function", func(t *testing.T) {
		guest := start(t, engine, "function handler(event) { return host.sub(event.a, event.b); }",
			handlers.Functions{"sub": func(a, b float64) float64 { return a - b }})
		result, err := guest.Handle([]byte(`{"a":1.5,"b":5}`), false)
		require.NoError(t, err)
		require.Equal(t, "-3.5", string(result))
	})
	t.Run("exception", func(t *testing.T) {
		guest := start(t, engine, `function handler(event) { throw new Error("no " + event.a); }`, nil)
		_, err := guest.Handle([]byte(`{"a":1}`), false)
		require.ErrorContains(t, err, "no 1")
	})
	t.Run("script that is none", func(t *testing.T) {
		_, err := engine.Start("function {", nil)
		require.ErrorContains(t, err, "SyntaxError")
	})
	t.Run("restore", func(t *testing.T) {
		guest := start(t, engine, "let calls = 0; function handler(event) { return ++calls; }", nil)
		for range 3 {
			for _, want := range []string{"1", "2"} {
				result, err := guest.Handle([]byte(`{}`), false)
				require.NoError(t, err)
				require.Equal(t, want, string(result))
			}
			require.NoError(t, guest.Restore())
		}
	})
	t.Run("restore after the memory has grown", func(t *testing.T) {
		guest := start(t, engine, "let kept; function handler(event) { kept = kept ?? event; return kept.text.length; }", nil)
		for _, event := range []string{`{"text":"` + strings.Repeat("x", 3_000_000) + `"}`, `{"text":"x"}`} {
			_, err := guest.Handle([]byte(event), false)
			require.NoError(t, err)
			require.NoError(t, guest.Restore())
		}
		result, err := guest.Handle([]byte(`{"text":"ab"}`), false)
		require.NoError(t, err)
		require.Equal(t, "2", string(result))
	})
}

func start(t *testing.T, engine handlers.Engine, script string, functions handlers.Functions) handlers.Guest {
	guest, err := engine.Start(script, functions)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, guest.Close()) })
	return guest
}
