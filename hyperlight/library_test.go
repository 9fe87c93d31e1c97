//go:build linux && amd64

package hyperlight_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// A process loads one library, so each case runs in a process of its own: this test binary again, with
// the variable below naming the case.
const caseVariable = "HYPERLIGHT_TEST_LIBRARY_CASE"

var libraryCases = map[string]func(t *testing.T){
	"from the environment": func(t *testing.T) {
		info, err := hyperlight.Library()
		require.NoError(t, err)
		assert.Equal(t, "the environment variable HYPERLIGHT_JS_LIBRARY, "+os.Getenv("HYPERLIGHT_JS_LIBRARY"), info.Place)
		assert.EqualValues(t, 1, info.ABIVersion)
		assert.Regexp(t, `^\d+\.\d+\.\d+$`, info.Version)
		mustRun(t)
	},
	"as it was built": func(t *testing.T) {
		info, err := hyperlight.Library()
		require.NoError(t, err)
		assert.Regexp(t, `^(hyperlight-js-runtime \d+\.\d+\.\d+|custom, sha256 [0-9a-f]{64})$`, info.Runtime)
		// What build.sh has made the library with, where it runs this.
		if features, ok := os.LookupEnv("HYPERLIGHT_TEST_FEATURES"); ok {
			assert.Equal(t, features, strings.Join(info.Features, ","))
		}
		if runtime, ok := os.LookupEnv("HYPERLIGHT_TEST_RUNTIME"); ok {
			assert.Equal(t, runtime, info.Runtime)
		}
	},
	"from a path": func(t *testing.T) {
		path := takeLibrary(t)
		require.NoError(t, hyperlight.UseLibraryFile(path))
		mustRun(t)
		info, err := hyperlight.Library()
		require.NoError(t, err)
		assert.Equal(t, "the path given by the program, "+path, info.Place)
	},
	"from bytes": func(t *testing.T) {
		library, err := os.ReadFile(takeLibrary(t))
		require.NoError(t, err)
		require.NoError(t, hyperlight.UseLibrary(library))
		mustRun(t)
		info, err := hyperlight.Library()
		require.NoError(t, err)
		assert.Equal(t, "the bytes given by the program", info.Place)
	},
	"too late": func(t *testing.T) {
		path := os.Getenv("HYPERLIGHT_JS_LIBRARY")
		_, err := hyperlight.Library()
		require.NoError(t, err)
		for _, err := range []error{hyperlight.UseLibraryFile(path), hyperlight.UseLibrary([]byte("x"))} {
			require.ErrorIs(t, err, hyperlight.ErrLibraryLoaded)
			assert.Contains(t, err.Error(), "the library was loaded before, from the environment variable HYPERLIGHT_JS_LIBRARY, "+path)
		}
	},
	"nothing given": func(t *testing.T) {
		for _, err := range []error{hyperlight.UseLibraryFile(""), hyperlight.UseLibrary(nil), hyperlight.UseLibrary([]byte{})} {
			require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
			assert.Contains(t, err.Error(), "is empty")
		}
	},
	"no such file": func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "missing.so")
		require.NoError(t, hyperlight.UseLibraryFile(path))
		_, err := hyperlight.New()
		require.ErrorIs(t, err, hyperlight.ErrLibraryNotFound)
		require.ErrorContains(t, err, "hyperlight: New: no usable libhyperlight_js_capi.so was found; tried:\n"+
			"  the path given by the program, "+path+": ")
		require.ErrorContains(t, err, "no such file or directory")
		require.ErrorContains(t, err, "(run ./build.sh, or set HYPERLIGHT_JS_LIBRARY)")
	},
	"no library": func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "text.so")
		require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("this is no library\n", 100)), 0o600))
		require.NoError(t, hyperlight.UseLibraryFile(path))
		_, err := hyperlight.Library()
		require.ErrorIs(t, err, hyperlight.ErrLibraryNotFound)
		require.ErrorContains(t, err, "hyperlight: Library: ")
		require.ErrorContains(t, err, "invalid ELF header")

		require.NoError(t, hyperlight.UseLibraryFile(takeLibrary(t)), "a failure can be repaired")
		mustRun(t)
	},
	"all places": func(t *testing.T) {
		takeLibrary(t)
		require.NoError(t, os.Setenv("HYPERLIGHT_JS_CACHE", t.TempDir()))
		_, err := hyperlight.New()
		require.ErrorIs(t, err, hyperlight.ErrLibraryNotFound)
		places := strings.Split(err.Error(), "\n")[1:]
		require.Len(t, places, 3)
		assert.Contains(t, places[0], "next to the executable, ")
		assert.Contains(t, places[1], "the cache of build.sh, ")
		assert.Contains(t, places[2], "the system's library path, libhyperlight_js_capi.so.1: ")
	},
}

// takeLibrary hides the library from the environment.
func takeLibrary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("HYPERLIGHT_JS_LIBRARY")
	require.NotEmpty(t, path, "set HYPERLIGHT_JS_LIBRARY to the library, or use ./build.sh test")
	require.NoError(t, os.Unsetenv("HYPERLIGHT_JS_LIBRARY"))
	return path
}

func mustRun(t *testing.T) {
	t.Helper()
	assert.Equal(t, `{"count":1}`, call(t, loadHandler(t, counter), `{}`))
}

func TestLibrary(t *testing.T) {
	if name := os.Getenv(caseVariable); name != "" {
		libraryCases[name](t)
		return
	}
	for name := range libraryCases {
		t.Run(name, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestLibrary$", "-test.v")
			child.Env = append(os.Environ(), caseVariable+"="+name)
			output, err := child.CombinedOutput()
			require.NoError(t, err, string(output))
			require.Contains(t, string(output), "--- PASS: TestLibrary")
		})
	}
}
