package pages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A repository in small, and pages with a mistake each: the checks can fail.

const smallCode = `package hyperlight

type Snapshot struct{ Size int }

func (s *Snapshot) Close() error { return nil }

func New() {}

const (
	CodeBroken = 1
	CodeBent   = 2
)

var ErrBroken = errors.New("broken")

var kinds = map[Code]struct{ sentinels []error }{
	CodeBroken: {sentinels: []error{ErrBroken, errors.ErrUnsupported}},
	CodeBent:   {sentinels: []error{ErrBroken}},
}
`

const smallTests = `package hyperlight_test

func ExampleNew() {
	hyperlight.New()
	if true {
		hyperlight.New()
	}
	// Output:
}
`

func smallRepository(t *testing.T) (string, code) {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"hyperlight/code.go":      smallCode,
		"hyperlight/code_test.go": smallTests,
		"rust-shim/src/lib.rs":    "fn it_works() {}",
		"other.md":                "# The other page\n\n## `New`, and [more](x.md): 1 & 2\n",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
	}
	return root, readCode(t, root)
}

func TestBrokenLinksAreFound(t *testing.T) {
	root, _ := smallRepository(t)
	for text, problem := range map[string]string{
		"[a](other.md) [b](hyperlight) [c](https://example.com/x.md)": "",
		"[a](other.md#the-other-page) [b](#here)\n# Here":             "",
		"[a\nb](other.md#new-and-more-1--2)":                          "",
		`<img alt="a" src="other.md"> <source srcset="nowhere.svg">`:  "nowhere.svg leads nowhere",
		"`[a](nowhere.md)`": "",
		"[a](nowhere.md)":   "nowhere.md leads nowhere",
		"[a](other.md#new)": "other.md#new names no heading",
		"[`a`](#here)":      "#here names no heading",
	} {
		assert.Equal(t, problem, strings.Join(brokenLinks(root, parsePage("page.md", text)), "; "), text)
	}
}

func TestUnknownNamesAreFound(t *testing.T) {
	_, c := smallRepository(t)
	for text, problem := range map[string]string{
		"`New`, `hyperlight.New()`, `Snapshot.Size`, `*Snapshot`, `snapshot.Close()`, `Close`": "",
		"`Math.random`, `Uint8Array`, `os.Root`, `KVM`, `HOME`, `it_works`, `ExampleNew`":      "",
		"`Old`":              "nothing is called `Old`",
		"`hyperlight.Close`": "nothing is called `hyperlight.Close`",
		"`Snapshot.New()`":   "nothing is called `Snapshot.New()`",
		"`snapshot.Open()`":  "nothing is called `snapshot.Open()`",
		"`ExampleOld`":       "nothing is called `ExampleOld`",
		"`it_fails`":         "nothing is called `it_fails`",
	} {
		assert.Equal(t, problem, strings.Join(unknownNames(c, parsePage("page.md", text)), "; "), text)
	}
}

func TestCodeOfNoExampleIsFound(t *testing.T) {
	_, c := smallRepository(t)
	for text, problem := range map[string]string{
		"<!-- ExampleNew -->\n```go\n\thyperlight.New()\n\tif true {\n```":  "",
		"<!-- ExampleNew -->\n```go\nif true {\n\thyperlight.New()\n}\n```": "",
		"```js\nanything\n```":                                                              "",
		"```go\nhyperlight.New()\n```":                                                      `no example is named before the code "hyperlight.New()"`,
		"<!-- ExampleOld -->\n```go\nhyperlight.New()\n```":                                 `ExampleOld does not have the code "hyperlight.New()"`,
		"<!-- ExampleNew -->\n```go\nhyperlight.New(1)\n```":                                `ExampleNew does not have the code "hyperlight.New(1)"`,
		"<!-- ExampleNew -->\n```go\nhyperlight.New()\n}\n```":                              `ExampleNew does not have the code "hyperlight.New()"`,
		"<!-- ExampleNew -->\n```go\nhyperlight.New()\n```\n\n```go\nhyperlight.New()\n```": `no example is named before the code "hyperlight.New()"`,
	} {
		assert.Equal(t, problem, strings.Join(codeOfNoExample(c, parsePage("page.md", text)), "; "), text)
	}
}

func TestWrongErrorsAreFound(t *testing.T) {
	_, c := smallRepository(t)
	const header = "| sentinel | codes |\n| --- | --- |\n"
	const row = "| `ErrBroken` | `CodeBent` `CodeBroken` |\n"
	for text, problem := range map[string]string{
		header + row: "",
		"nothing":    "ErrBroken is in no table; CodeBent is nowhere; CodeBroken is nowhere",
		header + "| `ErrBroken` | `CodeBent` |\n": "ErrBroken matches [CodeBent CodeBroken], not [CodeBent]; CodeBroken is nowhere",
		header + row + row:                        "ErrBroken is described twice",
		header + row + "| `ErrOld` | |\n":         "ErrOld does not exist",
	} {
		assert.Equal(t, problem, strings.Join(wrongErrors(c, parsePage("errors.md", text)), "; "), text)
	}
}
