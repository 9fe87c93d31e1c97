//go:build linux && amd64

package capi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is at the path may be anything. The child must live to tell what is wrong with it.
func TestLoadRefusesFiles(t *testing.T) {
	library, err := os.ReadFile(realLibrary(t))
	require.NoError(t, err)
	dangling := filepath.Join(t.TempDir(), "link.so")
	require.NoError(t, os.Symlink("/nowhere.so", dangling))
	thisVersion := fmt.Sprintf("-DABI_VERSION=%d", ABIVersion)
	for name, test := range map[string]struct {
		path   string
		before []step
		reason string
		abi    bool
	}{
		"none":             {path: "/nowhere.so", reason: "stat /nowhere.so: no such file or directory"},
		"a text":           {path: writeFile(t, longText), reason: "invalid ELF header"},
		"empty":            {path: writeFile(t, ""), reason: "file too short"},
		"a folder":         {path: t.TempDir(), reason: "directory"},
		"a dangling link":  {path: dangling, reason: "no such file or directory"},
		"below a file":     {path: filepath.Join(writeFile(t, ""), "x.so"), reason: "not a directory"},
		"a NUL in it":      {path: "/tmp/\x00.so", reason: "invalid argument"},
		"unreadable":       {path: unreadableFile(t), before: []step{loseCapabilities()}, reason: "Permission denied"},
		"an ELF's start":   {path: writeFile(t, string(library[:40])), reason: "file too short"},
		"the first page":   {path: writeFile(t, string(library[:4096])), reason: "it is cut off"},
		"the first half":   {path: writeFile(t, string(library[:len(library)/2])), reason: "it is cut off"},
		"another library":  {path: standIn(t), reason: "it is not this library: "},
		"another version":  {path: standIn(t, "-DABI_VERSION=999"), reason: "it has ABI version 999, but this program needs 1", abi: true},
		"a symbol missing": {path: standIn(t, thisVersion), reason: "undefined symbol: hljs_version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for origin, choice := range map[string]step{
				"the path given by the program, " + test.path: usePath(test.path),
				"the bytes given by the program":              useBytes(test.path),
			} {
				if info, err := os.Stat(test.path); choice.Do == "UseBytes" && (err != nil || info.IsDir() || test.before != nil) {
					continue // There are no bytes to be given.
				}
				failed := child{}.last(t, append(test.before, choice, load())...)
				require.Len(t, failed.Tried, 1)
				assert.Contains(t, failed.Tried[0], origin+": ")
				assert.Contains(t, failed.Tried[0], test.reason)
				assert.Equal(t, test.abi, failed.ABIMismatch)
			}
		})
	}
}

// longText is longer than what dlopen reads first.
var longText = strings.Repeat("no library at all\n", 1000)

func unreadableFile(t *testing.T) string {
	t.Helper()
	path := writeFile(t, "")
	require.NoError(t, os.Chmod(path, 0))
	return path
}

func TestLibraryFromBytesIsSealed(t *testing.T) {
	outcomes := child{}.run(t, useBytes(realLibrary(t)), load(), doVersion(), showAnonymousFile())
	assert.Equal(t, outcome{Place: "the bytes given by the program"}, outcomes[1])
	assert.NotEmpty(t, outcomes[2].Text)
	assert.Equal(t, outcome{Text: "closed on exec: true, sealed: true, writing: operation not permitted"}, outcomes[3])
}

// dlopen knows a library by its path: were the first anonymous file closed, the second would have the
// same path, and the first library would come back.
func TestSecondLibraryFromBytesIsAnother(t *testing.T) {
	outcomes := child{}.run(t,
		useBytes(standIn(t, "-DABI_VERSION=999")), load(),
		useBytes(standIn(t, "-DABI_VERSION=998")), load(),
		useBytes(realLibrary(t)), load(), doVersion())
	assert.Contains(t, outcomes[1].Err, "ABI version 999")
	assert.Contains(t, outcomes[3].Err, "ABI version 998")
	assert.Equal(t, outcome{Place: "the bytes given by the program"}, outcomes[5])
	assert.NotEmpty(t, outcomes[6].Text)
}
