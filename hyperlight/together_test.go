package hyperlight_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What has tests of its own, together.

// loadFrom boots a sandbox whose handler "handler" is imported from files, with host functions.
func loadFrom(t *testing.T, files fstest.MapFS, functions functions, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	proto := newProto(t, opts...)
	if files != nil {
		require.NoError(t, proto.SetModuleLoader(files))
	}
	for name, function := range functions {
		require.NoError(t, proto.Register("host", name, function))
	}
	sandbox := boot(t, proto)
	source := `function handler() { return 1; }`
	if files["handler.js"] != nil {
		source = `export { handler } from "./handler.js";`
	}
	addAt(t, sandbox, "handler", "/", source)
	return load(t, sandbox)
}

func file(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }

// A module from a file calls the host, at the top level and later.
func TestFilesImportHostFunctions(t *testing.T) {
	calls := 0
	loaded := loadFrom(t, fstest.MapFS{"handler.js": file(`
		import * as host from "host";
		const first = host.count();
		export function handler() { return [first, host.count()]; }`)},
		map[string]any{"count": func() int { calls++; return calls }})
	assert.Equal(t, "[1,2]", call(t, loaded, `{}`))
	assert.Equal(t, "[1,3]", call(t, loaded, `{}`))
}

// The module loader is two host functions of upstream's: a snapshot that was taken with one needs one.
func TestSnapshotNeedsTheModuleLoader(t *testing.T) {
	with := loadFrom(t, fstest.MapFS{"x.js": file("")}, nil)
	without := loadFrom(t, nil, nil)
	err := without.Restore(t.Context(), takeSnapshot(t, with))
	require.ErrorIs(t, err, hyperlight.ErrSnapshotMismatch)
	assert.Regexp(t, `^Snapshot host function mismatch: missing=\[.*(LoadModule|ResolveModule).*\], signature mismatches=\[\]$`,
		asError(t, err).Message)
	assert.Equal(t, "1", call(t, without, `{}`), "it is as before")

	// More than it needs is fine.
	restore(t, with, takeSnapshot(t, without))
	assert.Equal(t, "1", call(t, with, `{}`))
}

// A snapshot brings its buffers along, and what is too big for them is refused in time: else the guest would
// be lost.
func TestHostFunctionsAfterRestoreOfSmallerBuffers(t *testing.T) {
	const source = `
		import * as host from "host";
		export async function handler(size) {
			try {
				if (size < 0) return (await import("./big.js")).default.length;
				return host.text(size).length;
			} catch (e) { return e.message; }
		}`
	functions := map[string]any{"text": func(size int) string { return strings.Repeat("x", size) }}
	files := fstest.MapFS{
		"handler.js": file(source),
		"big.js":     file(`export default "` + strings.Repeat("y", 50_000) + `";`),
	}
	small := loadFrom(t, files, functions, hyperlight.WithInputBufferSize(16<<10))
	big := loadFrom(t, files, functions)
	snapshot := takeSnapshot(t, small)
	assert.Equal(t, "50000", call(t, big, `50000`))

	restore(t, big, snapshot)
	assert.Equal(t, 16<<10, big.Config().InputBufferSize)
	assert.Contains(t, call(t, big, `50000`), "of the input buffer, which has 16384")
	assert.Contains(t, call(t, big, `-1`), "Error loading module")
	assert.Equal(t, "1000", call(t, big, `1000`))

	sandbox, err := big.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	addAt(t, sandbox, "handler", "/", source)
	again := load(t, sandbox)
	assert.Equal(t, "50000", call(t, again, `50000`), "unloading brings the buffers of New back")
	assert.Equal(t, "50000", call(t, again, `-1`))
}

// What a guest throws in the end may come from any host function that failed, not only from the last.
func TestErrorOfAnEarlierHostFunction(t *testing.T) {
	first, second := errors.New("the first failure"), errors.New("the second failure")
	loaded := loadFrom(t, fstest.MapFS{"handler.js": file(`
		import * as host from "host";
		export function handler() {
			try { host.first(); } catch (e) {
				try { host.second(); } catch {}
				throw e;
			}
		}`)}, map[string]any{"first": func() error { return first }, "second": func() error { return second }})
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	require.ErrorIs(t, err, first)
	require.NotErrorIs(t, err, second)
}
