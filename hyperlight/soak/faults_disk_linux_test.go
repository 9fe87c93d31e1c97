//go:build linux && amd64

package soak_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// disk mounts an empty one of so many bytes.
func disk(t *testing.T, bytes int64) (dir string) {
	t.Helper()
	changesTheMachine(t)
	dir = t.TempDir()
	require.NoError(t, unix.Mount("disk", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// fill writes a file that leaves so many bytes of a disk, and returns it.
func fill(t *testing.T, dir string, leave int64) (path string) {
	t.Helper()
	var about unix.Statfs_t
	require.NoError(t, unix.Statfs(dir, &about))
	path = filepath.Join(dir, "other")
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, unix.Fallocate(int(file.Fd()), 0, 0, max(int64(about.Bavail)*about.Bsize-leave, 1)))
	return path
}

// A disk that fills up in the middle of a save leaves what was saved before as it was, and nothing half done.
func TestFullDisk(t *testing.T) {
	s := counted(t)
	dir := disk(t, 3*s.clean.Size()+1<<20)
	layout := filepath.Join(dir, "snapshots")
	_, err := s.clean.Save(layout, "old")
	require.NoError(t, err)
	call(t, s.loaded, "{}")
	second := snapshot(t, s.loaded)
	before := files(t, layout)

	// The big file, the small ones, the index.
	page := int64(os.Getpagesize())
	levels := []int64{0, page, second.Size() / 2, second.Size() - page}
	for extra := range int64(size(3, 12)) {
		levels = append(levels, second.Size()+extra*page)
	}
	failed := 0
	for _, level := range levels {
		other := fill(t, dir, level)
		_, err := second.Save(layout, "new")
		if err == nil {
			break
		}
		failed++
		require.ErrorIs(t, err, hyperlight.ErrSnapshotIO)
		assert.ErrorContains(t, err, "hyperlight: Save: atomic write: failed to ")
		assert.ErrorContains(t, err, "No space left on device (os error 28)")
		savedCounts(t, s.loaded, layout, "old", "2")
		_, err = hyperlight.LoadSnapshot(layout, "new")
		require.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)
		require.NoError(t, os.Remove(other))
		for name := range files(t, layout) {
			if _, there := before[name]; !there {
				// It is whole, and would spare the next save the work.
				assert.Regexp(t, "^[0-9a-f]{64}$", filepath.Base(name))
				require.NoError(t, os.Remove(name))
			}
		}
	}
	assert.GreaterOrEqual(t, failed, 5)
	figure(t, "saves that ended for lack of space", failed)

	require.NoError(t, os.RemoveAll(filepath.Join(dir, "other")))
	_, err = second.Save(layout, "new")
	require.NoError(t, err)
	savedCounts(t, s.loaded, layout, "old", "2")
	savedCounts(t, s.loaded, layout, "new", "3")
}

// savedCounts asserts what a saved snapshot of the counter says next.
func savedCounts(t *testing.T, loaded *hyperlight.LoadedJSSandbox, layout, tag, want string) {
	t.Helper()
	saved, err := hyperlight.LoadSnapshot(layout, tag)
	require.NoError(t, err)
	require.NoError(t, loaded.Restore(t.Context(), saved))
	assert.Equal(t, want, call(t, loaded, "{}"))
	require.NoError(t, saved.Close())
}

// files are all files below a folder, with their sizes.
func files(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	result := map[string]int64{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		result[path] = info.Size()
		return err
	}))
	return result
}

// A file that may not grow is an error, and the signal that comes with it ends nobody.
func TestFileSizeLimit(t *testing.T) {
	if !inChild(t) {
		return
	}
	s, dir := counted(t), filepath.Join(t.TempDir(), "snapshots")
	for _, most := range []uint64{0, 100, 4096, uint64(s.clean.Size()) - 1} {
		limit(t, unix.RLIMIT_FSIZE, most)
		_, err := s.clean.Save(dir, "v1")
		limit(t, unix.RLIMIT_FSIZE, unix.RLIM_INFINITY)
		require.ErrorIs(t, err, hyperlight.ErrSnapshotIO)
		assert.ErrorContains(t, err, "File too large (os error 27)")
		assert.Empty(t, files(t, dir))
	}
	_, err := s.clean.Save(dir, "v1")
	require.NoError(t, err)
	savedCounts(t, s.loaded, dir, "v1", "2")
}

// Folders that nothing can be saved to, one after the other in the same place.
func TestFoldersToSaveTo(t *testing.T) {
	s, above := counted(t), disk(t, 64<<20)
	dir := filepath.Join(above, "snapshots")
	writable := func(yes bool) {
		flags := uintptr(unix.MS_REMOUNT)
		if !yes {
			flags |= unix.MS_RDONLY
		}
		require.NoError(t, unix.Mount("disk", above, "tmpfs", flags, "size=64M"))
	}
	refused := func(dir, text string) {
		t.Helper()
		_, err := s.clean.Save(dir, "v1")
		require.ErrorIs(t, err, hyperlight.ErrSnapshotIO)
		assert.ErrorContains(t, err, "hyperlight: Save: ")
		assert.ErrorContains(t, err, text)
	}
	refused(filepath.Join(dir, "below"), "No such file or directory (os error 2)")
	refused("/dev/full", "exists and is not a directory")
	writable(false)
	refused(dir, "Read-only file system (os error 30)")
	writable(true)
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	refused(dir, "exists and is not a directory")
	refused(filepath.Join(dir, "below"), "is not a directory")
	require.NoError(t, os.Remove(dir))
	require.NoError(t, os.Symlink(dir, dir))
	refused(dir, "Too many levels of symbolic links (os error 40)")
	require.NoError(t, os.Remove(dir))
	refused(filepath.Join(above, strings.Repeat("x", 256)), "File name too long (os error 36)")

	_, err := s.clean.Save(dir, "v1")
	require.NoError(t, err)
	writable(false)
	refused(dir, "Read-only file system (os error 30)")
	savedCounts(t, s.loaded, dir, "v1", "2")
	writable(true)
	require.NoError(t, os.RemoveAll(dir))
	_, err = hyperlight.LoadSnapshot(dir, "v1")
	require.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)

	// The folder goes while a snapshot of it is in use: its pages stay.
	_, err = s.clean.Save(dir, "v1")
	require.NoError(t, err)
	saved, err := hyperlight.LoadSnapshot(dir, "v1")
	require.NoError(t, err)
	closeWith(t, saved)
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, s.loaded.Restore(t.Context(), saved))
	assert.Equal(t, "2", call(t, s.loaded, "{}"))
	_, err = saved.Save(dir, "v1")
	require.NoError(t, err)
	savedCounts(t, s.loaded, dir, "v1", "2")
}
