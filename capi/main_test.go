//go:build linux && amd64

package capi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain makes this binary two programs: the tests, and the child processes that some of them start.
func TestMain(m *testing.M) {
	if steps, ok := os.LookupEnv(childVariable); ok {
		runSteps(steps)
		return
	}
	os.Exit(m.Run())
}

// realLibrary is the path of the library that build.sh made.
func realLibrary(t testing.TB) string {
	t.Helper()
	path := os.Getenv(LibraryVariable)
	if path == "" {
		folder, err := CacheFolder()
		require.NoError(t, err)
		path = filepath.Join(folder, "lib", fmt.Sprintf("abi-%d", ABIVersion), LibraryName)
	}
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "these tests need the library: run ./build.sh, or set %s", LibraryVariable)
	return path
}

var loadOnce = sync.OnceValue(func() error {
	_, err := Load()
	return err
})

// loadLibrary loads the real library into this process, for tests that call it.
func loadLibrary(t testing.TB) {
	t.Helper()
	path := realLibrary(t)
	if err := UsePath(path); err == nil {
		require.NoError(t, loadOnce())
	}
}

// compileC runs a C or C++ compiler, which these tests cannot do without.
func compileC(t *testing.T, compiler string, args ...string) {
	t.Helper()
	output, err := exec.Command(compiler, args...).CombinedOutput()
	require.NoError(t, err, "%s %q:\n%s", compiler, args, output)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o777))
	require.NoError(t, os.WriteFile(to, data, 0o755))
}
