package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

const makeGolden = "if the difference is intended: node testdata/make-golden.mjs"

func TestHandlersLikeNode(t *testing.T) {
	for _, name := range []string{"compute", "text"} {
		t.Run(name, func(t *testing.T) {
			script := "testdata/handlers/" + name
			got := tryRun("", script+".js", "@"+script+".event.json")
			require.Equal(t, outcome{stdout: read(t, "testdata/golden/"+name+".json")}, got, makeGolden)
		})
	}
}

// A library of 50 KB, marked, as one module.
func TestMarkdownLikeNode(t *testing.T) {
	for name, path := range map[string]string{"document": "testdata/document.md", "README": "README.md"} {
		t.Run(name, func(t *testing.T) {
			event, err := json.Marshal(map[string]string{"markdown": read(t, path)})
			require.NoError(t, err)
			got := tryRun(string(event), "testdata/handlers/marked.js", "-")
			require.Equal(t, exitOK, got.exitCode, got.stderr)
			require.Empty(t, got.stderr)
			var result struct{ HTML string }
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &result))
			require.Equal(t, read(t, "testdata/golden/"+name+".html"), result.HTML, makeGolden)
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}
