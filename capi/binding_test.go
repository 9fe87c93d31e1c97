package capi

import (
	"go/build"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const headerFile = "hyperlight_js.h"

func TestBindingsMatchTheHeader(t *testing.T) {
	header, sources := readPackage(t)
	for _, problem := range compare(header, sources) {
		t.Error(problem)
	}
}

// A comparison that finds nothing proves nothing. Each of these defects must be found, by name.
func TestComparisonFindsPlantedDefects(t *testing.T) {
	header, sources := readPackage(t)
	sources[headerFile] = header
	for _, test := range plantedDefects {
		t.Run(test.name, func(t *testing.T) {
			problems := compareEdited(t, sources, test.edits)
			found := slices.ContainsFunc(problems, func(problem string) bool {
				return strings.Contains(problem, test.problem)
			})
			assert.True(t, found, "no problem says %q, only:\n%s", test.problem, strings.Join(problems, "\n"))
		})
	}
}

func compareEdited(t *testing.T, sources map[string]string, edits []edit) []string {
	t.Helper()
	edited := maps.Clone(sources)
	for _, edit := range edits {
		require.Contains(t, edited[edit.file], edit.old, "there is nothing to change in %s", edit.file)
		edited[edit.file] = strings.ReplaceAll(edited[edit.file], edit.old, edit.new)
	}
	header := edited[headerFile]
	delete(edited, headerFile)
	return compare(header, edited)
}

// readPackage reads the header and the Go files that are compiled where the library runs.
func readPackage(t *testing.T) (header string, sources map[string]string) {
	t.Helper()
	platform := build.Default
	platform.GOOS, platform.GOARCH = "linux", "amd64"
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	sources = map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		wanted, err := platform.MatchFile(".", name)
		require.NoError(t, err)
		if wanted {
			sources[name] = readFile(t, name)
		}
	}
	return readFile(t, headerFile), sources
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}
