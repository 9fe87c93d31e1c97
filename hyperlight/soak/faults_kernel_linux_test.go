//go:build linux && amd64

package soak_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// scene is something that is about to happen to a sandbox.
type scene struct {
	loaded *hyperlight.LoadedJSSandbox // nil if it is not that far
	clean  *hyperlight.Snapshot
	act    func() error
}

// The scenes, each in a sandbox of its own.

func building(*testing.T) scene {
	return scene{act: func() error {
		proto, err := hyperlight.New()
		return closed(proto, err)
	}}
}

func booting(t *testing.T) scene {
	proto := newProto(t, nil)
	return scene{act: func() error {
		sandbox, err := proto.LoadRuntime(t.Context())
		return closed(sandbox, err)
	}}
}

func loading(t *testing.T) scene {
	sandbox := boot(t, newProto(t, nil))
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
	return scene{act: func() error {
		loaded, err := sandbox.Load(t.Context())
		return closed(loaded, err)
	}}
}

func calling(t *testing.T) scene { return callingWith(t) }

func callingWithAMonitor(t *testing.T) scene {
	return callingWith(t, hyperlight.WithMonitors(hyperlight.WallClock(100*time.Millisecond)))
}

func callingWith(t *testing.T, opts ...hyperlight.CallOption) scene {
	s := counted(t)
	s.act = func() error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := s.loaded.HandleEvent(ctx, "handler", []byte("{}"), opts...)
		return err
	}
	return s
}

func takingASnapshot(t *testing.T) scene {
	s := counted(t)
	call(t, s.loaded, "{}")
	s.act = func() error {
		taken, err := s.loaded.Snapshot(t.Context())
		return closed(taken, err)
	}
	return s
}

func restoring(t *testing.T) scene {
	s := counted(t)
	s.act = func() error { return s.loaded.Restore(t.Context(), s.clean) }
	return s
}

func unloading(t *testing.T) scene {
	s := counted(t)
	require.NoError(t, s.loaded.Restore(t.Context(), s.clean)) // So that there is other memory to go back to.
	s.act = func() error {
		sandbox, err := s.loaded.Unload(t.Context())
		return closed(sandbox, err)
	}
	return s
}

func saving(t *testing.T) scene {
	s, dir := counted(t), t.TempDir()
	s.act = func() error {
		_, err := s.clean.Save(dir, "v1")
		return err
	}
	return s
}

func loadingASnapshot(t *testing.T) scene {
	s, dir := counted(t), t.TempDir()
	_, err := s.clean.Save(dir, "v1")
	require.NoError(t, err)
	s.act = func() error {
		again, err := hyperlight.LoadSnapshot(dir, "v1")
		return closed(again, err)
	}
	return s
}

// counted is a sandbox that has counted to 1, which is what its snapshot is of.
func counted(t *testing.T) scene {
	t.Helper()
	loaded := load(t, nil, counter, hyperlight.WithUpstreamDefaults()) // They make small snapshots.
	require.Equal(t, "1", call(t, loaded, "{}"))
	return scene{loaded: loaded, clean: snapshot(t, loaded)}
}

// closed closes what was made, if it was.
func closed(made interface{ Close() error }, err error) error {
	if err != nil {
		return err
	}
	return made.Close()
}

// Whatever the kernel refuses, at whatever step, comes back as an error that says so; the sandbox is no worse off than
// its status says; and what has nothing to do with it goes on.
func TestRefusedByTheKernel(t *testing.T) {
	survivor := load(t, nil, counter, hyperlight.WithUpstreamDefaults())
	const (
		resources  = "(close sandboxes and snapshots, or raise the limits of this process)"
		unusable   = "(it cannot run a guest; `./build.sh doctor` tells more)"
		noMemory   = "Cannot allocate memory (os error 12)"
		mmapFailed = "Failed to execute shared memory operation: mmap failed with os error Some(12)"
	)
	file := func(call uint32, err unix.Errno) refusal { return refusal{call: call, err: err} }
	tests := []struct {
		name    string
		scene   func(*testing.T) scene
		refusal refusal
		want    error
		texts   []string
		status  hyperlight.Status // of what is loaded
	}{
		{"memory/New", building, guestMemory(unix.ENOMEM), hyperlight.ErrHostResources, []string{mmapFailed, resources}, 0},
		{"memory/LoadRuntime", booting, guestMemory(unix.ENOMEM), hyperlight.ErrHostResources, []string{mmapFailed, resources}, 0},
		{"memory/Snapshot", takingASnapshot, guestMemory(unix.ENOMEM), hyperlight.ErrHostResources, []string{mmapFailed, resources}, hyperlight.StatusReady},
		{"memory/LoadSnapshot", loadingASnapshot, guestMemory(unix.ENOMEM), hyperlight.ErrHostResources, []string{mmapFailed, resources}, hyperlight.StatusReady},
		{"VM/no descriptor", booting, request(kvmCreateVM, unix.EMFILE), hyperlight.ErrHostResources, []string{"Too many open files (os error 24)", resources}, 0},
		{"VM/no memory", booting, request(kvmCreateVM, unix.ENOMEM), hyperlight.ErrHostResources, []string{noMemory, resources}, 0},
		{"VM/not now", booting, request(kvmCreateVM, unix.EBUSY), hyperlight.ErrHypervisorUnusable, []string{"Device or resource busy (os error 16)", unusable}, 0},
		{"VM/exists", booting, request(kvmCreateVM, unix.EEXIST), hyperlight.ErrHypervisorUnusable, []string{"File exists (os error 17)", unusable}, 0},
		{"processor/no memory", booting, request(kvmCreateVCPU, unix.ENOMEM), hyperlight.ErrHostResources, []string{noMemory, resources}, 0},
		{"processor/invalid", booting, request(kvmCreateVCPU, unix.EINVAL), hyperlight.ErrHypervisorUnusable, []string{"Invalid argument (os error 22)", unusable}, 0},
		{"mapping/LoadRuntime, no memory", booting, request(kvmSetUserMemory, unix.ENOMEM), hyperlight.ErrHostResources, []string{noMemory, resources}, 0},
		{"mapping/LoadRuntime, invalid", booting, request(kvmSetUserMemory, unix.EINVAL), hyperlight.ErrHypervisorUnusable, []string{"Invalid argument (os error 22)", unusable}, 0},
		{"mapping/Restore", restoring, request(kvmSetUserMemory, unix.ENOMEM), hyperlight.ErrVMFailure, []string{noMemory}, hyperlight.StatusUnrecoverable},
		{"mapping/Unload", unloading, request(kvmSetUserMemory, unix.ENOMEM), hyperlight.ErrVMFailure, []string{noMemory}, hyperlight.StatusConsumed},
		{"registers/Restore", restoring, request(kvmSetSpecial, unix.EINVAL), hyperlight.ErrVMFailure, []string{"Invalid argument (os error 22)"}, hyperlight.StatusPoisoned},
		{"registers/Snapshot", takingASnapshot, request(kvmGetSpecial, unix.EIO), hyperlight.ErrVMFailure, []string{"Input/output error (os error 5)"}, hyperlight.StatusReady},
		{"run/LoadRuntime", booting, request(kvmRun, unix.EFAULT), hyperlight.ErrHypervisorUnusable, []string{"Bad address (os error 14)", unusable}, 0},
		{"run/Load", loading, request(kvmRun, unix.ENOMEM), hyperlight.ErrVMFailure, []string{noMemory}, 0},
		{"run/call, no memory", calling, request(kvmRun, unix.ENOMEM), hyperlight.ErrVMFailure, []string{noMemory}, hyperlight.StatusPoisoned},
		{"run/call, bad address", calling, request(kvmRun, unix.EFAULT), hyperlight.ErrVMFailure, []string{"Bad address (os error 14)"}, hyperlight.StatusPoisoned},
		{"run/call, I/O", calling, request(kvmRun, unix.EIO), hyperlight.ErrVMFailure, []string{"Input/output error (os error 5)"}, hyperlight.StatusPoisoned},
		// The guest never runs, and is tried again and again. What stops guests stops that.
		{"run/interrupted for ever", callingWithAMonitor, request(kvmRun, unix.EINTR), hyperlight.ErrCancelled, []string{"(by wall-clock)"}, hyperlight.StatusPoisoned},
		{"run/never ready", callingWithAMonitor, request(kvmRun, unix.EAGAIN), hyperlight.ErrCancelled, []string{"(by wall-clock)"}, hyperlight.StatusPoisoned},
		{"save/no file", saving, file(unix.SYS_OPENAT, unix.EMFILE), hyperlight.ErrSnapshotIO, []string{"atomic write: failed to create tmp in ", "Too many open files (os error 24)"}, hyperlight.StatusReady},
		{"save/no space", saving, file(unix.SYS_WRITE, unix.ENOSPC), hyperlight.ErrSnapshotIO, []string{"atomic write: failed to write tmp ", "No space left on device (os error 28)"}, hyperlight.StatusReady},
		{"save/quota", saving, file(unix.SYS_WRITE, unix.EDQUOT), hyperlight.ErrSnapshotIO, []string{"atomic write: failed to write tmp ", "(os error 122)"}, hyperlight.StatusReady},
		{"save/disk fails", saving, file(unix.SYS_FSYNC, unix.EIO), hyperlight.ErrSnapshotIO, []string{"atomic write: failed to sync tmp ", "Input/output error (os error 5)"}, hyperlight.StatusReady},
		{"save/no folder", saving, file(unix.SYS_MKDIR, unix.EROFS), hyperlight.ErrSnapshotIO, []string{"failed to create ", "Read-only file system (os error 30)"}, hyperlight.StatusReady},
		{"open/no descriptor", loadingASnapshot, file(unix.SYS_OPENAT, unix.EMFILE), hyperlight.ErrSnapshotIO, []string{"failed to open ", "Too many open files (os error 24)"}, hyperlight.StatusReady},
		{"open/no memory", loadingASnapshot, file(unix.SYS_OPENAT, unix.ENOMEM), hyperlight.ErrSnapshotIO, []string{"failed to open ", noMemory}, hyperlight.StatusReady},
		{"open/disk fails", loadingASnapshot, file(unix.SYS_READ, unix.EIO), hyperlight.ErrSnapshotIO, []string{"Input/output error (os error 5)"}, hyperlight.StatusReady},
	}
	// Before the first call with a monitor, its threads would be counted as lost.
	require.NoError(t, callingWith(t, hyperlight.WithMonitors(hyperlight.WallClock(time.Minute))).act())
	calls := 0
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var scene scene
			var err error
			t.Run("refused", func(thread *testing.T) {
				runtime.LockOSThread() // On which a guest stays that began here.
				scene = test.scene(t)
				refuse(thread, test.refusal)
				err = scene.act()
			})
			require.ErrorIs(t, err, test.want)
			require.NotErrorIs(t, err, hyperlight.ErrInternal)
			assert.True(t, strings.HasPrefix(err.Error(), "hyperlight: "), err)
			for _, text := range test.texts {
				assert.ErrorContains(t, err, text)
			}
			if scene.loaded != nil {
				recovers(t, scene, test.status)
			}
			calls++
			assert.Equal(t, fmt.Sprint(calls), call(t, survivor, "{}"))
		})
	}
	figure(t, "system calls refused in the middle of a sandbox's life", len(tests))
}

// recovers asserts that a sandbox is what its status says.
func recovers(t *testing.T, s scene, status hyperlight.Status) {
	t.Helper()
	require.Equal(t, status, s.loaded.Status())
	switch status {
	case hyperlight.StatusReady, hyperlight.StatusPoisoned:
		require.NoError(t, s.loaded.Restore(t.Context(), s.clean))
		assert.Equal(t, "2", call(t, s.loaded, "{}"))
	case hyperlight.StatusUnrecoverable:
		isUnrecoverable(t, s)
	default:
		_, err := s.loaded.HandleEvent(t.Context(), "handler", []byte("{}"))
		require.ErrorIs(t, err, hyperlight.ErrConsumed)
	}
}

// isUnrecoverable asserts that every method says so. The snapshot serves others.
func isUnrecoverable(t *testing.T, s scene) {
	t.Helper()
	const text = "The sandbox is unrecoverable and must be discarded"
	_, err := s.loaded.HandleEvent(t.Context(), "handler", []byte("{}"))
	require.ErrorIs(t, err, hyperlight.ErrUnrecoverable)
	assert.EqualError(t, err, "hyperlight: HandleEvent: "+text)
	_, err = s.loaded.HandleEvents(t.Context(), "handler", [][]byte{[]byte("{}")})
	require.ErrorIs(t, err, hyperlight.ErrUnrecoverable)
	_, err = s.loaded.Snapshot(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrUnrecoverable)
	assert.EqualError(t, err, "hyperlight: Snapshot: "+text)
	require.ErrorIs(t, s.loaded.Restore(t.Context(), s.clean), hyperlight.ErrUnrecoverable)
	assert.Equal(t, hyperlight.StatusUnrecoverable, s.loaded.Status())

	before := measureWhenQuiet(t)[openFiles] // What tests before this one have forgotten is freed at some time.
	_, err = s.loaded.Unload(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrUnrecoverable)
	assert.Equal(t, hyperlight.StatusConsumed, s.loaded.Status())
	assert.Equal(t, before-2, entries(t, ownFiles), "its micro-VM is gone")
	require.NoError(t, s.loaded.Close())

	other := load(t, nil, `function handler() { return "other"; }`)
	require.NoError(t, other.Restore(t.Context(), s.clean))
	assert.Equal(t, "2", call(t, other, "{}"))
}
