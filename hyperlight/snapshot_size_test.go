package hyperlight_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// largestFile is the size of the file that a saved snapshot's memory is in.
func largestFile(t *testing.T, dir string) int64 {
	t.Helper()
	var largest int64
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				largest = max(largest, info.Size())
			}
		}
		return err
	}))
	return largest
}

// What upstream writes to a file is what it holds, for any layout, and after a guest has written to its memory.
func TestSizeOfASnapshot(t *testing.T) {
	for name, opts := range map[string][]hyperlight.Option{
		"default":      nil,
		"small":        {hyperlight.WithUpstreamDefaults()},
		"much scratch": {hyperlight.WithUpstreamDefaults(), hyperlight.WithHeapSize(5 << 20), hyperlight.WithScratchSize(36 << 20)},
	} {
		t.Run(name, func(t *testing.T) {
			loaded := loadHandler(t, `
				const kept = [];
				function handler(depth) {
					kept.push("x".repeat(depth * 1000));
					const dive = n => n ? 1 + dive(n - 1) : 0;
					return dive(depth);
				}`, opts...)
			for i, depth := range []string{"1", "100"} {
				call(t, loaded, depth)
				snapshot := takeSnapshot(t, loaded)
				dir := filepath.Join(t.TempDir(), depth)
				_, err := snapshot.Save(dir, "v1")
				require.NoError(t, err)
				assert.Equal(t, largestFile(t, dir), snapshot.Size(), "after %d calls", i+1)
				assert.Greater(t, snapshot.Size(), int64(loaded.Config().HeapSize))

				again, err := hyperlight.LoadSnapshot(dir, "v1")
				require.NoError(t, err)
				assert.Equal(t, snapshot.Size(), again.Size())
				require.NoError(t, again.Close())
				assert.Zero(t, again.Size())
			}
		})
	}
	assert.Zero(t, (*hyperlight.Snapshot)(nil).Size())
	assert.Zero(t, new(hyperlight.Snapshot).Size())
}

// A guest cannot make its snapshots look smaller by what it writes to its memory: page tables that end there.
func TestSizeOfASnapshotWithForgedPageTables(t *testing.T) {
	loaded := loadHandler(t, `
		const page = new BigUint64Array(512).fill(0x8000000ffffff063n);
		const forged = Array.from({ length: 100 }, () => page.slice());
		function handler() { return forged.length; }`)
	call(t, loaded, `{}`)
	assert.Greater(t, takeSnapshot(t, loaded).Size(), int64(loaded.Config().HeapSize))
}
