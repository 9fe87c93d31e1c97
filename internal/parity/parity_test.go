package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const goodList = "# a comment\njs/tests/a.rs\tone\tTestA/one\njs/tests/a.rs\ttwo\t-\tneeds a thing that C cannot have\n"

func TestParseList(t *testing.T) {
	tests, err := parseList(goodList)
	require.NoError(t, err)
	assert.Equal(t, []upstreamTest{
		{file: "js/tests/a.rs", name: "one", goTest: "TestA/one"},
		{file: "js/tests/a.rs", name: "two", reason: "needs a thing that C cannot have"},
	}, tests)
	for text, problem := range map[string]string{
		"a\tb\n":               "line 1 has 2 fields, not 3 or 4",
		"a\tb\t-\n":            "line 1: b has neither a Go test nor a reason",
		"a\tb\tT\na\tb\tT2\n":  "line 2: b is there twice",
		"a\tb\tT\tx\ty\tz\t\n": "line 1 has 7 fields, not 3 or 4",
	} {
		_, err := parseList(text)
		assert.EqualError(t, err, problem)
	}
}

func lines(events ...string) *strings.Reader { return strings.NewReader(strings.Join(events, "\n")) }

func TestReadResults(t *testing.T) {
	var log strings.Builder
	found, err := readResults(lines(
		`{"Action":"output","Package":"p","Test":"TestA/one","Output":"chatter\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestA/one"}`,
		`{"Action":"skip","Package":"p","Test":"TestA/two"}`,
		`{"Action":"output","Package":"p","Output":"ok p\n"}`,
		`{"Action":"pass","Package":"p"}`,
	), &log)
	require.NoError(t, err)
	assert.Equal(t, results{"TestA/one": "pass", "TestA/two": "skip"}, found)
	assert.Equal(t, "ok p\n", log.String())
}

func TestReadResultsOfAFailure(t *testing.T) {
	var log strings.Builder
	_, err := readResults(lines(
		`{"Action":"output","Package":"p","Test":"TestA","Output":"wrong\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestA"}`,
		`not JSON`,
	), &log)
	require.EqualError(t, err, "tests failed")
	assert.Equal(t, "wrong\nnot JSON\n", log.String())
	_, err = readResults(lines(), &log)
	require.EqualError(t, err, "no test ran")
}

func TestCheck(t *testing.T) {
	tests, err := parseList(goodList)
	require.NoError(t, err)
	assert.Empty(t, check(tests, results{"TestA/one": "pass"}))
	for result, text := range map[string]string{"": "did not run", "skip": "skip", "fail": "fail"} {
		problems := check(tests, results{"TestA/one": result})
		require.Len(t, problems, 1)
		assert.EqualError(t, problems[0], "one of js/tests/a.rs: TestA/one "+text)
	}
}

func TestMissingFromList(t *testing.T) {
	crate := filepath.Join(t.TempDir(), "js-0.4.0")
	require.NoError(t, os.MkdirAll(filepath.Join(crate, "tests"), 0o755))
	source := "#[test]\nfn one() {}\n\n    #[test]\n    #[ignore]\n    fn three() {}\n// #[test]\nfn helper() {}\n"
	require.NoError(t, os.WriteFile(filepath.Join(crate, "tests", "a.rs"), []byte(source), 0o644))
	tests, err := parseList(goodList)
	require.NoError(t, err)
	problems, err := missingFromList(tests, crate)
	require.NoError(t, err)
	require.Len(t, problems, 1)
	assert.EqualError(t, problems[0], "the list lacks three of js/tests/a.rs")
}

func TestKeep(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	passed := `{"Action":"pass","Package":"p","Test":"TestA"}`
	require.NoError(t, keep(lines(passed), &strings.Builder{}, file))
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, passed, string(kept))
	failed := `{"Action":"fail","Package":"p","Test":"TestA"}`
	require.EqualError(t, keep(lines(failed), &strings.Builder{}, file), "tests failed")
}

func TestRunWritesAndChecksTheTable(t *testing.T) {
	folder := t.TempDir()
	list, table := filepath.Join(folder, "upstream.tsv"), filepath.Join(folder, "PARITY.md")
	require.NoError(t, os.WriteFile(list, []byte(goodList), 0o644))
	passed := `{"Action":"pass","Package":"p","Test":"TestA/one"}`
	again := func(write bool, event string) error {
		return run(lines(event), &strings.Builder{}, list, table, write, nil)
	}
	require.ErrorContains(t, again(false, passed), "is not what the tests say")
	require.NoError(t, again(true, passed))
	require.NoError(t, again(false, passed))
	text, err := os.ReadFile(table)
	require.NoError(t, err)
	assert.Contains(t, string(text), "2 of upstream's tests: 1 have a Go test, 1 cannot apply.")
	assert.Contains(t, string(text), "| `one` | `TestA/one` | pass |  |\n| `two` |  | cannot apply | needs a thing that C cannot have |\n")
	require.ErrorContains(t, again(false, `{"Action":"pass","Package":"p","Test":"TestB"}`), "TestA/one did not run")
}
