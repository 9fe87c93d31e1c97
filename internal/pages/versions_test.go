package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first table of docs/versioning.md has the versions that the sources have.
func TestVersions(t *testing.T) {
	rows := readPage(t, filepath.Join(root, "docs/versioning.md")).rows()
	for _, source := range []struct{ what, file, pattern string }{
		{"the Go module, and the library", "Cargo.toml", `(?m)^version = "(.*)"$`},
		{"the C ABI", "capi/hyperlight_js.h", `(?m)^#define HLJS_ABI_VERSION (\d+)$`},
		{"upstream's hyperlight-js", "Cargo.toml", `(?m)^hyperlight-js = { version = "=(.*?)"`},
		{"upstream's hyperlight-host", "Cargo.toml", `(?m)^hyperlight-host = { version = "=(.*?)"`},
		{"Go, at least", "go.mod", `(?m)^go (.*)$`},
		{"Rust, at least", "Cargo.toml", `(?m)^rust-version = "(.*)"$`},
	} {
		text, err := os.ReadFile(filepath.Join(root, source.file))
		require.NoError(t, err)
		match := regexp.MustCompile(source.pattern).FindStringSubmatch(string(text))
		require.NotNil(t, match, "%s does not say the version of %s", source.file, source.what)
		assert.Equal(t, match[1], secondColumn(rows, source.what), source.what)
	}
}

// The names of files in docs/distribution.md have those versions, too.
func TestVersionsInFileNames(t *testing.T) {
	rows := readPage(t, filepath.Join(root, "docs/versioning.md")).rows()
	version := regexp.QuoteMeta(secondColumn(rows, "the Go module, and the library"))
	abi := secondColumn(rows, "the C ABI")
	text, err := os.ReadFile(filepath.Join(root, "docs/distribution.md"))
	require.NoError(t, err)
	names := regexp.MustCompile(`hyperlight[-_]js[-_]capi(\.so\.|-)\d[\w.-]*`).FindAllString(string(text), -1)
	require.NotEmpty(t, names)
	right := regexp.MustCompile(`\.so\.` + abi + `(\.` + version + `)?$` +
		`|capi-` + version + `(-abi` + abi + `)?-linux-x86_64([.-].*)?$`)
	for _, name := range names {
		assert.Regexp(t, right, name)
	}
}

// secondColumn is that of the row that begins with the first one, or empty.
func secondColumn(rows [][]string, first string) string {
	for _, cells := range rows {
		if cells[0] == first {
			return cells[1]
		}
	}
	return ""
}
