package hyperlight

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Whatever path is asked for, nothing outside of the tree is read, and in it what is there.
func FuzzModuleFiles(f *testing.F) {
	for _, name := range []string{
		"a.js", "lib/b.js", "lib", ".", "", "/", "..", "../secret.js", "lib/../../secret.js", "/etc/passwd", "lib/../a.js", "./a.js", "a.js/",
		"a.js/x", "lib//b.js", "a\x00.js", "\xff.js", `..\secret.js`, "linked.js", "folder/secret.js", "lib/.../b.js", "out/secret.js", "C:/a.js",
		strings.Repeat("x", 300), strings.Repeat("../", 50) + "secret.js",
	} {
		f.Add(name, uint16(100))
		f.Add(name, uint16(3))
	}
	folder := f.TempDir()
	contents := map[string]string{"a.js": "export const a = 1", "lib/b.js": "", "lib/package.json": "{}", "...": "dots", `..\secret.js`: "not it"}
	for name, content := range contents {
		file := filepath.Join(folder, "tree", name)
		require.NoError(f, os.MkdirAll(filepath.Dir(file), 0o777))
		require.NoError(f, os.WriteFile(file, []byte(content), 0o666))
	}
	const secret = "the secret"
	require.NoError(f, os.WriteFile(filepath.Join(folder, "secret.js"), []byte(secret), 0o666))
	require.NoError(f, os.Symlink("../secret.js", filepath.Join(folder, "tree", "linked.js")))
	require.NoError(f, os.Symlink("..", filepath.Join(folder, "tree", "out")))
	require.NoError(f, os.Symlink("lib", filepath.Join(folder, "tree", "inside")))
	contents["inside/b.js"], contents["inside/package.json"] = contents["lib/b.js"], contents["lib/package.json"]
	root, err := os.OpenRoot(filepath.Join(folder, "tree"))
	require.NoError(f, err)
	f.Cleanup(func() { _ = root.Close() })

	f.Fuzz(func(t *testing.T, name string, maxLen uint16) {
		for follows, tree := range map[bool]fs.FS{false: root.FS(), true: os.DirFS(filepath.Join(folder, "tree"))} {
			if follows && leadsOut(name) {
				continue // As SetModuleLoader says of os.DirFS.
			}
			data, err := readFile(tree, name, int(maxLen))
			content, there := contents[name]
			kind := capi.FileKindNothing
			switch {
			case there && len(content) > int(maxLen):
				kind = capi.FileKindFile
				require.ErrorIs(t, err, ErrBufferTooSmall)
			case there:
				kind = capi.FileKindFile
				require.NoError(t, err)
				require.Equal(t, content, string(data))
			default:
				if name == "." || name == "lib" || name == "inside" {
					kind = capi.FileKindFolder
				}
				require.Error(t, err)
				require.Empty(t, data)
			}
			call := &guestCall{guest: &guest{}, caller: t.Context()}
			call.guest.call.Store(call)
			require.Equal(t, kind, moduleFiles{tree, call.guest}.Stat(name))
			failure := call.currentFailures().module
			require.True(t, failure == nil || !there, "%v", failure)
		}
	})
}

// leadsOut says whether a path is, or goes through, a link that leads out of the tree.
func leadsOut(name string) bool {
	return name == "linked.js" || name == "out" || strings.HasPrefix(name, "out/")
}
