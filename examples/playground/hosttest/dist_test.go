package hosttest

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The page that is committed was made from the sources that are: their sums are in a file that the bundler writes.
func TestBundleIsOfTheseSources(t *testing.T) {
	const folder = "../page"
	listed, err := os.ReadFile(filepath.Join(folder, "sums.txt"))
	require.NoError(t, err)
	noted := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(string(listed))); lines.Scan(); {
		sum, file, found := strings.Cut(lines.Text(), "  ")
		require.True(t, found, "a line of sums.txt: %q", lines.Text())
		noted[file] = sum
	}
	there := map[string]string{}
	for _, part := range []string{"bundle", "src", "dist", "package.json", "package-lock.json"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(folder, part), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			file, err := filepath.Rel(folder, path)
			there[filepath.ToSlash(file)] = fmt.Sprintf("%x", sha256.Sum256(content))
			return err
		}))
	}
	require.Equal(t, noted, there, "something in examples/playground/page has changed since the page was bundled: "+
		"run `go generate .` in examples/playground, which needs npm, and commit what it writes")
}
