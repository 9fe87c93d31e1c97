//go:build linux && amd64

package soak_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	device   = "/dev/kvm"
	hidden   = "/dev/kvm-hidden"
	noDevice = "No Hypervisor was found for Sandbox (check that /dev/kvm exists and that this user may open it)"
)

// While the device is missing, or is something else, everything says so; and when it is back, everything works in the
// same process. Upstream would remember.
func TestNoDevice(t *testing.T) {
	const variable = "HYPERLIGHT_SOAK_SNAPSHOTS"
	changesTheMachine(t)
	saved := os.Getenv(variable)
	if saved == "" {
		saved = t.TempDir()
		_, err := counted(t).clean.Save(saved, "v1")
		require.NoError(t, err)
	}
	back := func() {
		if _, err := os.Lstat(hidden); err == nil {
			require.NoError(t, os.RemoveAll(device))
			require.NoError(t, os.Rename(hidden, device))
		}
	}
	t.Cleanup(back) // for the tests that follow, even if the child dies
	if !inChild(t, func(child *exec.Cmd) { child.Env = append(child.Env, variable+"="+saved) }) {
		return
	}
	require.NoError(t, os.Rename(device, hidden))
	places := map[string]func() error{
		"nothing":     func() error { return nil },
		"a folder":    func() error { return os.Mkdir(device, 0o700) },
		"a file":      func() error { return os.WriteFile(device, []byte("kvm"), 0o600) },
		"a pipe":      func() error { return unix.Mkfifo(device, 0o600) },
		"a dead link": func() error { return os.Symlink("/dev/none", device) },
		"/dev/null":   func() error { return unix.Mknod(device, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) },
		"no driver's": func() error { return unix.Mknod(device, unix.S_IFCHR|0o600, int(unix.Mkdev(240, 77))) },
		"a full disk": func() error { return unix.Mknod(device, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 7))) },
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, place())
			defer func() { require.NoError(t, os.RemoveAll(device)) }()
			isMissing(t, saved)
		})
	}
	back()
	figure(t, "things found in place of the hypervisor's device", len(places))

	present, err := hyperlight.IsHypervisorPresent()
	require.NoError(t, err)
	assert.True(t, present)
	require.NoError(t, hyperlight.Probe(t.Context()))
	survivor := counted(t)
	again, err := hyperlight.LoadSnapshot(saved, "v1")
	require.NoError(t, err)
	closeWith(t, again)

	// A process that has booted a guest keeps the device, and needs it no more.
	require.NoError(t, os.Rename(device, hidden))
	require.NoError(t, live(t.Context(), t.TempDir()))
	require.NoError(t, survivor.loaded.Restore(t.Context(), again))
	assert.Equal(t, "2", call(t, survivor.loaded, "{}"))
	back()
}

// A user without rights learns the same.
func TestNoRightsToTheDevice(t *testing.T) {
	const variable = "HYPERLIGHT_SOAK_SNAPSHOTS"
	changesTheMachine(t)
	if saved := os.Getenv(variable); saved != "" {
		isMissing(t, saved)
		return
	}
	saved := t.TempDir()
	_, err := counted(t).clean.Save(saved, "v1")
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(filepath.Dir(saved), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chmod(path, 0o755))
	}))
	usual, err := os.Stat(device)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.Chmod(device, usual.Mode().Perm())) }) // also if the test fails
	require.NoError(t, os.Chmod(device, 0o600))
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	require.False(t, inChild(t, func(child *exec.Cmd) {
		child.Env = append(child.Env, variable+"="+saved)
		child.SysProcAttr = &syscall.SysProcAttr{Credential: nobody}
	}))
}

// isMissing asserts that all who look for the hypervisor say that there is none. saved is a snapshot under the tag v1.
func isMissing(t *testing.T, saved string) {
	t.Helper()
	present, err := hyperlight.IsHypervisorPresent()
	require.NoError(t, err)
	assert.False(t, present)
	_, err = hyperlight.New()
	require.ErrorIs(t, err, hyperlight.ErrNoHypervisor)
	assert.EqualError(t, err, "hyperlight: New: "+noDevice)
	err = live(t.Context(), t.TempDir())
	require.ErrorIs(t, err, hyperlight.ErrNoHypervisor)
	err = hyperlight.Probe(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrNoHypervisor)
	_, err = hyperlight.LoadSnapshot(saved, "v1")
	require.ErrorIs(t, err, hyperlight.ErrNoHypervisor)
	assert.EqualError(t, err, "hyperlight: LoadSnapshot: "+noDevice)
	_, err = hyperlight.LoadSnapshot(saved, "v2")
	require.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)
}
