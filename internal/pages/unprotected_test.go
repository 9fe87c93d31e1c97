package pages

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// SECURITY.md has a table of promises, whose last two columns are the tests of each, and the patches of
// scripts/unprotected that show that these can fail.
func TestPromises(t *testing.T) {
	patches := readPatches(t, root)
	require.NotEmpty(t, patches)
	for _, problem := range brokenPromises(readPage(t, filepath.Join(root, "SECURITY.md")), patches) {
		t.Error("SECURITY.md: " + problem)
	}
	c := readCode(t, root)
	for name, tests := range patches {
		for _, test := range tests {
			assert.True(t, c.tests[test] || strings.Contains(c.rest, "fn "+test+"("), "%s.patch: nothing is called %s", name, test)
		}
	}
}

func TestBrokenPromisesAreFound(t *testing.T) {
	patches := map[string][]string{"wall": {"TestWall"}, "door": {"it_shuts"}}
	const header = "| promise | shown by | without it |\n| --- | --- | --- |\n"
	for text, problem := range map[string]string{
		header + "| safe | `TestWall`, `it_shuts` | `door`, `wall` |":                                 "",
		header + "| safe | `TestWall`, `it_shuts` | `wall` |":                                         "the patch door is in no row",
		header + "| safe | `it_shuts` | `door`, `wall` |":                                             "TestWall, which the patch wall needs, is not in its row",
		header + "| safe | `TestWall`, `it_shuts` | `moat`, `door` |\n| safe | `TestWall` | `wall` |": "there is no patch moat",
	} {
		assert.Equal(t, problem, strings.Join(brokenPromises(parsePage("page.md", text), patches), "; "), text)
	}
}

// readPatches are the names of the patches, each with the tests that have to fail.
func readPatches(t *testing.T, root string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "scripts/unprotected/*.patch"))
	require.NoError(t, err)
	patches := map[string][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		arguments := regexp.MustCompile(`(?m)^Test: .*$`).FindString(string(text))
		tests := regexp.MustCompile(`\bTest[A-Z]\w*|\b\w+$`).FindAllString(strings.TrimPrefix(arguments, "Test:"), 1)
		require.NotEmpty(t, tests, file)
		patches[strings.TrimSuffix(filepath.Base(file), ".patch")] = tests
	}
	return patches
}

// brokenPromises are patches that are not in the table, or not in the row of their tests.
func brokenPromises(p page, patches map[string][]string) []string {
	var problems []string
	found := map[string]bool{}
	for _, cells := range p.rows() {
		tests := page{text: cells[max(len(cells)-2, 0)]}.spans()
		for _, name := range (page{text: cells[len(cells)-1]}).spans() {
			wanted, ok := patches[name]
			if !ok {
				problems = append(problems, "there is no patch "+name)
			}
			for _, test := range wanted {
				if !slices.Contains(tests, test) {
					problems = append(problems, test+", which the patch "+name+" needs, is not in its row")
				}
			}
			found[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(patches)) {
		if !found[name] {
			problems = append(problems, "the patch "+name+" is in no row")
		}
	}
	return problems
}
