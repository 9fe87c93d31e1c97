//go:build linux && amd64

package capi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What can be said of snapshots without a guest: references and folders that are not what they should be.

func TestSnapshotLoadRefusesBadText(t *testing.T) {
	loadLibrary(t)
	for name, test := range map[string]struct{ dir, reference, message string }{
		"folder that is not UTF-8":    {"a\xff", "v1", "the folder is not UTF-8: invalid byte at offset 1"},
		"folder with a NUL":           {"a\x00b", "v1", "the folder contains a NUL byte at offset 1"},
		"reference that is not UTF-8": {"a", "v1\xc3", "the reference is not UTF-8: invalid byte at offset 2"},
		"no reference":                {"a", "", `tag "" is invalid: must be 1..=128 bytes`},
		"bad beginning":               {"a", ".v1", `tag ".v1" is invalid: first character must be alphanumeric or '_'`},
		"bad character": {
			"a", "v\x001",
			`tag "v\01" is invalid: characters after the first must be alphanumeric or one of '_', '.', '-'`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, verify := range []bool{true, false} {
				err := discard(SnapshotLoad(test.dir, test.reference, verify))
				requireError(t, err, CodeInvalidArgument, test.message)
			}
		})
	}
	for _, digest := range []string{"sha256:", "sha256:abcd", "sha512:" + strings.Repeat("0", 128), ":"} {
		err := discard(SnapshotLoad("a", digest, true))
		require.NotNil(t, err)
		assert.Equal(t, CodeInvalidArgument, err.Code, digest)
		assert.Contains(t, err.Message, digest)
	}
}

func TestSnapshotLoadWithoutALayout(t *testing.T) {
	loadLibrary(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o777))
	for dir, message := range map[string]string{
		"":          `load failed to stat "": No such file or directory (os error 2)`,
		dir + "/no": `load failed to stat "` + dir + `/no": No such file or directory (os error 2)`,
		file:        `load path "` + file + `" is not a directory`,
		empty:       `failed to read oci-layout: blob file "` + empty + `/oci-layout" not found`,
	} {
		for _, verify := range []bool{true, false} {
			requireError(t, discard(SnapshotLoad(dir, "v1", verify)), CodeSnapshotNotFound, message)
		}
	}
}
