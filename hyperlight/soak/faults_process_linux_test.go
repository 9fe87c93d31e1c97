//go:build linux && amd64

package soak_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// without takes variables from a child's environment.
func without(names ...string) func(*exec.Cmd) {
	return func(child *exec.Cmd) {
		child.Env = slices.DeleteFunc(child.Env, func(entry string) bool {
			name, _, _ := strings.Cut(entry, "=")
			return slices.Contains(names, name)
		})
	}
}

// A process that has no home, no folder for temporary files, no working directory and no /proc runs guests all the same.
func TestBareProcess(t *testing.T) {
	const variable = "HYPERLIGHT_SOAK_FOLDER"
	if os.Getenv(childVariable) != t.Name() {
		require.NoError(t, os.Setenv(variable, t.TempDir()))
	}
	if !inChild(t, without("HOME", "XDG_CACHE_HOME", "TMPDIR", "PATH", "LD_LIBRARY_PATH"), func(child *exec.Cmd) {
		child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}) {
		return
	}
	dir := os.Getenv(variable)
	gone := filepath.Join(dir, "gone")
	require.NoError(t, os.Mkdir(gone, 0o700))
	require.NoError(t, os.Chdir(gone))
	require.NoError(t, os.Remove(gone))
	require.NoError(t, os.Setenv("TMPDIR", "/dev/null"))
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	require.NoError(t, unix.Unmount("/proc", unix.MNT_DETACH))
	_, err := os.Stat("/proc/self")
	require.Error(t, err)

	require.NoError(t, hyperlight.Probe(t.Context()))
	require.NoError(t, live(t.Context(), filepath.Join(dir, "snapshots")))
	_, err = hyperlight.LoadSnapshot("snapshots", "v1")
	require.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)
}

// Without a library to be found, the error lists where it was looked for, and what to do.
func TestNoLibrary(t *testing.T) {
	if !inChild(t, without("HOME", "XDG_CACHE_HOME", "HYPERLIGHT_JS_LIBRARY", "HYPERLIGHT_JS_CACHE", "LD_LIBRARY_PATH")) {
		return
	}
	_, err := hyperlight.New()
	require.ErrorIs(t, err, hyperlight.ErrLibraryNotFound)
	assert.ErrorContains(t, err, "(run ./build.sh, or set HYPERLIGHT_JS_LIBRARY)")
	require.ErrorIs(t, hyperlight.Probe(t.Context()), hyperlight.ErrLibraryNotFound)
	_, err = hyperlight.IsHypervisorPresent()
	require.ErrorIs(t, err, hyperlight.ErrLibraryNotFound)
	_, err = hyperlight.LoadSnapshot(t.TempDir(), "v1")
	require.ErrorIs(t, err, hyperlight.ErrLibraryNotFound)
}

// The time of day may jump by days while a guest runs: what limits it measures the time that passes.
func TestClockJumps(t *testing.T) {
	changesTheMachine(t)
	jump := func(by time.Duration) error {
		now := unix.NsecToTimespec(time.Now().Add(by).UnixNano())
		return unix.ClockSettime(unix.CLOCK_REALTIME, &now)
	}
	loaded := load(t, functions{"jump": func(hours int) error { return jump(time.Duration(hours) * time.Hour) }},
		`function handler(hours) { const before = Date.now(); host.jump(hours); return Date.now() - before; }`)
	for _, hours := range []string{"48", "-96", "48"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		result, err := loaded.HandleEvent(ctx, "handler", []byte(hours),
			hyperlight.WithMonitors(hyperlight.WallClock(time.Minute), hyperlight.CPUTime(time.Minute)))
		cancel()
		require.NoError(t, err)
		assert.Equal(t, hours[0] == '-', result[0] == '-', "the guest sees it: %s", result)
		stats, _ := loaded.LastCallStats()
		assert.Less(t, stats.WallClock, time.Minute)
		assert.Positive(t, stats.WallClock)
	}
}
