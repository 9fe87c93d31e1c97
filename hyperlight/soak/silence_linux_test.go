package soak_test

import (
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// silently calls f, which must not use t, and requires that the process prints nothing meanwhile.
func silently(t *testing.T, f func()) {
	t.Helper()
	listener, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
	require.NoError(t, err)
	file := os.NewFile(uintptr(listener), "output")
	defer file.Close()
	for _, output := range []int{unix.Stdout, unix.Stderr} {
		copied, err := unix.FcntlInt(uintptr(output), unix.F_DUPFD_CLOEXEC, 0)
		require.NoError(t, err)
		original := os.NewFile(uintptr(copied), "original")
		if output == unix.Stderr { // A crash still says where.
			require.NoError(t, debug.SetCrashOutput(original, debug.CrashOptions{}))
		}
		require.NoError(t, unix.Dup3(listener, output, 0))
		defer func() {
			assert.NoError(t, unix.Dup3(copied, output, 0))
			assert.NoError(t, original.Close())
			assert.NoError(t, debug.SetCrashOutput(nil, debug.CrashOptions{}))
		}()
	}
	f()
	printed := make([]byte, 1000)
	n, _ := unix.Pread(listener, printed, 0)
	assert.Empty(t, string(printed[:max(n, 0)]), "printed by the library")
}
