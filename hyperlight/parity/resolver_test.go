package parity_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestResolver is the tests of upstream's src/resolver.rs. They ask a FileSystem directly, which Go users
// cannot; here imports tell what it says. rust-shim/src/file_system.rs has them once more, under the
// same names, against the FileSystem that a module loader from Go is.
func TestResolver(t *testing.T) {
	// imports boots a sandbox with these files, and gives what an import of a name prints or throws.
	imports := func(t *testing.T, files map[string]string) func(name string) string {
		tree := fstest.MapFS{}
		for name, content := range files {
			tree[name] = &fstest.MapFile{Data: []byte(content)}
		}
		var printed string
		sandbox := newImporter(t, tree)
		require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`
			export async function handler(name) {
				try { await import(name); return "imported"; } catch (e) { return e.message; }
			}`).WithVirtualBase("/")))
		loaded := load(t, sandbox)
		return func(name string) string {
			printed = ""
			result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"`+name+`"`),
				hyperlight.WithPrintFunc(func(text string) { printed += text }))
			require.NoError(t, err)
			return printed + string(result)
		}
	}

	t.Run("test_file_read", func(t *testing.T) {
		is := imports(t, map[string]string{"test.js": `console.log('hello');`})
		assert.Equal(t, "hello\n\"imported\"", is("./test.js"))
	})

	t.Run("test_directory_detection", func(t *testing.T) {
		is := imports(t, map[string]string{"foo/bar.js": `console.log('content');`, "foo/index.js": `console.log('index');`})
		assert.Equal(t, "index\n\"imported\"", is("./foo"))
		assert.Equal(t, "content\n\"imported\"", is("./foo/bar.js"))
	})

	t.Run("test_file_metadata", func(t *testing.T) {
		is := imports(t, map[string]string{"test.js": `console.log('content');`})
		assert.Equal(t, "content\n\"imported\"", is("./test.js"))
		assert.Equal(t, `"Error resolving module './test.js/' from '/handler.js'"`, is("./test.js/"), "it is no folder")
	})

	t.Run("test_prefix_collision", func(t *testing.T) {
		is := imports(t, map[string]string{"foo.js": `console.log('content1');`, "foobar.js": `console.log('content2');`})
		assert.Equal(t, `"Error resolving module './foo/' from '/handler.js'"`, is("./foo/"), "it is no folder")
		assert.Equal(t, "content1\n\"imported\"", is("./foo.js"))
	})

	t.Run("test_not_found", func(t *testing.T) {
		is := imports(t, map[string]string{"exists.js": `console.log('content');`})
		assert.Equal(t, `"Error resolving module './missing.js' from '/handler.js'"`, is("./missing.js"))
	})
}
