package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// writeSums notes what the bundle was made from, this program included, and what came out, in the form of sha256sum.
// hosttest/dist_test.go compares: it fails when a source was changed and nothing bundled, or when the bundle was
// changed by hand.
func writeSums(folder string) error {
	files := []string{"package.json", "package-lock.json"}
	for _, part := range []string{"bundle", "src", "dist"} {
		err := filepath.WalkDir(filepath.Join(folder, part), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				path, err = filepath.Rel(folder, path)
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	sort.Strings(files)
	var text strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(content), file)
	}
	return os.WriteFile(filepath.Join(folder, "sums.txt"), []byte(text.String()), 0o644)
}
