package soak_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// importing imports what it is told, and returns what the module exports.
const importing = `export async function handler(name) {
	return await import(name).then(m => "exports " + m.default, e => "fails: " + e.message);
}`

// asked is a tree that keeps the names it is asked for.
type asked struct {
	fs.FS
	names []string
}

func (a *asked) Open(name string) (fs.File, error) {
	a.names = append(a.names, name)
	return a.FS.Open(name)
}

// Whatever a guest imports, only what is in the tree is asked for and read, and what a plain path names is found.
func FuzzImports(f *testing.F) {
	for _, name := range []string{
		"./a.js", "../a.js", "../lib/b.js", "/lib/../a.js", "../../../a.js", "../secret.js", "../../secret.js", "/../secret.js", `..\..\secret.js`, "./a", "../lib",
		"file:///secret.js", "/etc/passwd", "./%2e%2e/%2e%2e/secret.js", "./..%2f..%2fsecret.js", "./a.js?x", "./a.js#y", "./a.js\x00", "./a.js/../../a.js", "./a.js/",
		"", ".", "..", "/", "//secret.js", "pkg", "pkg/x", "pkg/../../../secret.js", "#a", "@a/b", "user:a", "io", "host", "./\u2025/secret.js", "./\\", "....//secret.js", "./😊.js",
		strings.Repeat("../", 100) + "secret.js", "./" + strings.Repeat("x", 5000), "data:text/javascript,export default 'the secret'", "C:/a.js", "./con", "~/a.js",
	} {
		f.Add(name)
	}
	folder := f.TempDir()
	exports := map[string]string{}
	for _, name := range []string{"a.js", "app/a.js", "app/😊.js", "lib/b.js", "lib/index.js", "node_modules/pkg/index.js", "node_modules/pkg/x.js"} {
		exports[name] = "exports " + name
		write(f, filepath.Join(folder, "tree", name), name)
	}
	write(f, filepath.Join(folder, "secret.js"), "the secret")
	tree := &asked{FS: os.DirFS(filepath.Join(folder, "tree"))}
	loaded := &hyperlight.LoadedJSSandbox{}
	f.Cleanup(func() { _ = loaded.Close() })

	f.Fuzz(func(t *testing.T, name string) {
		name = strings.ToValidUTF8(name, "\uFFFD")
		if loaded.Status() != hyperlight.StatusReady {
			_ = loaded.Close()
			loaded = newImporter(t, tree)
		}
		event, err := json.Marshal(name)
		require.NoError(t, err)
		tree.names = nil
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		result, err := hyperlight.Call[string](ctx, loaded, "handler", json.RawMessage(event))
		for _, asked := range tree.names {
			require.True(t, fs.ValidPath(asked), "%q asks for %q", name, asked)
		}
		file := strings.TrimPrefix(path.Join("/app", name), "/")
		if strings.HasPrefix(name, "/") {
			file = strings.TrimPrefix(path.Clean(name), "/")
		}
		plain := strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/")
		plain = plain && !strings.ContainsAny(name, "?#%\\\x00") && path.Base(file) == path.Base(name) && !strings.HasSuffix(name, "/")
		switch {
		case err != nil:
			// A name too long for the guest's buffers, or more of them than are remembered: SetModuleLoader.
			endsIt := errors.Is(err, hyperlight.ErrVMFailure) || errors.Is(err, hyperlight.ErrGuestAborted) || errors.Is(err, hyperlight.ErrBufferTooSmall)
			require.True(t, endsIt, "%q: %v", name, err)
		case plain && exports[file] != "":
			require.Equal(t, exports[file], result, "%q", name)
		case strings.HasPrefix(result, "exports "):
			require.True(t, result == "exports undefined" || slices.Contains(slices.Collect(maps.Values(exports)), result), "%q: %s", name, result)
		default:
			require.True(t, strings.HasPrefix(result, "fails: "), "%q: %s", name, result)
		}
	})
}

// write makes a module that exports its name.
func write(f *testing.F, file, name string) {
	f.Helper()
	require.NoError(f, os.MkdirAll(filepath.Dir(file), 0o777))
	require.NoError(f, os.WriteFile(file, []byte(fmt.Sprintf("export default %q;", name)), 0o666))
}

// newImporter boots a sandbox that outlives the test.
func newImporter(t *testing.T, tree fs.FS) *hyperlight.LoadedJSSandbox {
	t.Helper()
	proto, err := hyperlight.New()
	require.NoError(t, err)
	require.NoError(t, proto.SetModuleLoader(tree))
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(importing).WithVirtualBase("/app")))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	return loaded
}
