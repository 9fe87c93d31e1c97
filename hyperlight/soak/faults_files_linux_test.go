//go:build linux && amd64

package soak_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// savedFiles are the files of one snapshot, by what they are, and the folder that they are in, saved under the tag v1.
func savedFiles(t *testing.T, s scene) (dir string, paths map[string]string) {
	t.Helper()
	dir, paths = t.TempDir(), map[string]string{}
	_, err := s.clean.Save(dir, "v1")
	require.NoError(t, err)
	for path, bytes := range files(t, dir) {
		name := filepath.Base(path)
		switch {
		case bytes > 1<<20:
			name = "memory"
		case len(name) == 64:
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			name = "config"
			if strings.Contains(string(content), `"layers"`) {
				name = "manifest"
			}
		}
		paths[name] = path
	}
	require.Len(t, paths, 5)
	return dir, paths
}

// broken asserts that a failure to load says that the snapshot is to blame.
func broken(t *testing.T, err error, what string) {
	t.Helper()
	known := func(sentinel error) bool { return errors.Is(err, sentinel) }
	assert.True(t, slices.ContainsFunc([]error{
		hyperlight.ErrSnapshotCorrupt, hyperlight.ErrSnapshotIncompatible, hyperlight.ErrSnapshotNotFound,
	}, known), "%s: %v", what, err)
}

// A file that is cut, anywhere, or changed, anywhere, is found out: always if it is verified; and what is loaded
// without that stays in its guest.
func TestFilesCutAndChanged(t *testing.T) {
	s := counted(t)
	dir, paths := savedFiles(t, s)
	random := chance(t, 0)
	outcomes := map[string]int{}
	try := func(what string, hasDigest bool) {
		t.Helper()
		saved, err := hyperlight.LoadSnapshot(dir, "v1")
		if err == nil {
			// What no digest covers is only text around the digests.
			require.False(t, hasDigest, what)
			outcomes["verified, and nothing was lost"]++
			require.NoError(t, s.loaded.Restore(t.Context(), saved))
			assert.Equal(t, "2", call(t, s.loaded, "{}"), what)
			require.NoError(t, saved.Close())
		} else {
			outcomes["rejected"]++
			broken(t, err, what)
		}
		saved, err = hyperlight.LoadSnapshot(dir, "v1", hyperlight.WithoutVerification())
		if err != nil {
			broken(t, err, what)
			return
		}
		outcomes["loaded without verification"]++
		s = goesOn(t, s, saved)
	}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		path := paths[name]
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		hasDigest := name != "index.json" && name != "oci-layout"
		write := func(content []byte) { require.NoError(t, os.WriteFile(path, content, 0o600)) }

		// At both ends, and anywhere between.
		lengths := []int{0, 1, len(content) - 1}
		places := []int{0, len(content) - 1}
		for range size(5, 32) {
			lengths = append(lengths, random.IntN(len(content)))
			places = append(places, random.IntN(len(content)))
		}
		for _, length := range lengths {
			require.NoError(t, os.Truncate(path, int64(length)))
			try(fmt.Sprintf("%s cut to %d", name, length), hasDigest)
			write(content)
		}
		for _, place := range places {
			changed := slices.Clone(content)
			changed[place] ^= byte(1 + random.IntN(255))
			write(changed)
			try(fmt.Sprintf("%s changed at %d from %q to %q", name, place, content[place], changed[place]), hasDigest)
			write(content)
		}
	}
	for outcome, times := range outcomes {
		figure(t, "damaged files "+outcome, times)
	}
	assert.GreaterOrEqual(t, outcomes["rejected"], 64)
	savedCounts(t, s.loaded, dir, "v1", "2")
}

// goesOn restores a snapshot that was damaged, and uses it. Whatever its guest does, a monitor ends it, and the
// sandbox recovers, or says that it does not.
func goesOn(t *testing.T, s scene, damaged *hyperlight.Snapshot) scene {
	t.Helper()
	if err := s.loaded.Restore(t.Context(), damaged); err == nil {
		_, _ = s.loaded.HandleEvent(t.Context(), "handler", []byte("{}"), hyperlight.WithMonitors(hyperlight.WallClock(100*time.Millisecond)))
	}
	require.NoError(t, damaged.Close())
	if s.loaded.Status().IsUnrecoverable() {
		require.NoError(t, s.loaded.Close())
		s.loaded = counted(t).loaded
	}
	require.NoError(t, s.loaded.Restore(t.Context(), s.clean))
	// What a damaged register has pending may survive a restore until the guest runs.
	_, _ = s.loaded.HandleEvent(t.Context(), "handler", []byte("{}"))
	require.NoError(t, s.loaded.Restore(t.Context(), s.clean))
	assert.Equal(t, "2", call(t, s.loaded, "{}"))
	return s
}

// In the place of each file something else may be, which takes for ever to read, or leads elsewhere. Nobody waits for
// it or follows it, neither to load nor to save.
func TestFilesThatAreNone(t *testing.T) {
	s := counted(t)
	dir, paths := savedFiles(t, s)
	elsewhere := t.TempDir()
	others := map[string]func(path, original string) error{
		"nothing": func(string, string) error { return nil },
		"a pipe":  func(path, _ string) error { return unix.Mkfifo(path, 0o600) },
		"a folder": func(path, _ string) error {
			return os.MkdirAll(filepath.Join(path, "below"), 0o700)
		},
		"a link to itself": func(path, _ string) error { return os.Symlink(path, path) },
		"a link to it":     func(path, original string) error { return os.Symlink(original, path) },
		"a link to zeros":  func(path, _ string) error { return os.Symlink("/dev/zero", path) },
		"a socket": func(path, _ string) error {
			file, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer unix.Close(file)
			short := filepath.Join(elsewhere, "s") // Names of sockets are short.
			if err := unix.Bind(file, &unix.SockaddrUnix{Name: short}); err != nil {
				return err
			}
			return os.Rename(short, path)
		},
		"a terabyte": func(path, _ string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		},
		"zeros without end": func(path, _ string) error {
			return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5)))
		},
	}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		path, original := paths[name], filepath.Join(elsewhere, name)
		require.NoError(t, os.Rename(path, original))
		for other, place := range others {
			what := other + " for " + name
			require.NoError(t, place(path, original), what)
			for _, opts := range [][]hyperlight.LoadOption{nil, {hyperlight.WithoutVerification()}} {
				_, err := hyperlight.LoadSnapshot(dir, "v1", opts...)
				require.Error(t, err, what)
				broken(t, err, what)
			}
			require.NoError(t, os.RemoveAll(path))
		}
		require.NoError(t, os.Rename(original, path))
	}
	figure(t, "things found in place of a snapshot's files", len(paths)*len(others))
	savedCounts(t, s.loaded, dir, "v1", "2")
}
