package hyperlight_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// counted boots a sandbox whose counter has counted to n.
func counted(t *testing.T, n int, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	loaded := loadHandler(t, counter, opts...)
	for i := range n {
		assert.Equal(t, fmt.Sprintf(`{"count":%d}`, i+1), call(t, loaded, `{}`))
	}
	return loaded
}

// countsTo calls the handler after a restore.
func countsTo(t *testing.T, n int, loaded *hyperlight.LoadedJSSandbox, snapshot *hyperlight.Snapshot) {
	t.Helper()
	restore(t, loaded, snapshot)
	assert.Equal(t, fmt.Sprintf(`{"count":%d}`, n), call(t, loaded, `{}`))
}

func save(t *testing.T, snapshot *hyperlight.Snapshot, dir, tag string) (digest string) {
	t.Helper()
	digest, err := snapshot.Save(dir, tag)
	require.NoError(t, err)
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, digest)
	return digest
}

// loadSnapshot loads a snapshot that is closed with the test.
func loadSnapshot(t *testing.T, dir, reference string, opts ...hyperlight.LoadOption) *hyperlight.Snapshot {
	t.Helper()
	snapshot, err := hyperlight.LoadSnapshot(dir, reference, opts...)
	require.NoError(t, err)
	closeWith(t, snapshot)
	return snapshot
}

// bothWays are the two ways to load a snapshot.
var bothWays = map[string][]hyperlight.LoadOption{
	"verified":   nil,
	"unverified": {hyperlight.WithoutVerification()},
}

func TestSavedSnapshots(t *testing.T) {
	snapshot := takeSnapshot(t, counted(t, 4, hyperlight.WithHeapSize(5<<20+1), hyperlight.WithScratchSize(9<<20),
		hyperlight.WithInputBufferSize(50_001), hyperlight.WithOutputBufferSize(60_001)))
	dir := filepath.Join(t.TempDir(), "snapshots äöü 😊")
	digest := save(t, snapshot, dir, "v1")
	assert.Equal(t, digest, save(t, snapshot, dir, "v1"), "the same snapshot has the same digest")
	require.NoError(t, snapshot.Close())

	target := loadHandler(t, `function handler() { return "mine"; }`)
	for name, opts := range bothWays {
		for _, reference := range []string{"v1", digest} {
			t.Run(name+" by "+reference, func(t *testing.T) {
				loaded := loadSnapshot(t, dir, reference, opts...)
				assert.Equal(t, hyperlight.Config{
					HeapSize: 5<<20 + 1, ScratchSize: 9 << 20, InputBufferSize: 50_001, OutputBufferSize: 60_001,
				}, loaded.Config())
				countsTo(t, 5, target, loaded)
				assert.Equal(t, loaded.Config(), sizes(target.Config()))
				_, err := target.HandleEvent(t.Context(), "handler", []byte(`"`+strings.Repeat("x", 60_000)+`"`))
				require.ErrorContains(t, err, "the input buffer 50001")
				// The sandbox keeps what it needs of a snapshot that is closed.
				require.NoError(t, loaded.Close())
				assert.Equal(t, `{"count":6}`, call(t, target, `{}`))
			})
		}
	}
}

func TestSnapshotsShareALayout(t *testing.T) {
	source := counted(t, 1)
	one := takeSnapshot(t, source)
	assert.Equal(t, `{"count":2}`, call(t, source, `{}`))
	two := takeSnapshot(t, source)
	dir := t.TempDir()
	digests := []string{save(t, one, dir, "one"), save(t, two, dir, "two")}
	assert.NotEqual(t, digests[0], digests[1])

	countsTo(t, 2, source, loadSnapshot(t, dir, "one"))
	countsTo(t, 3, source, loadSnapshot(t, dir, "two"))
	countsTo(t, 2, source, loadSnapshot(t, dir, digests[0]))
	countsTo(t, 3, source, loadSnapshot(t, dir, digests[1]))

	// A snapshot whose tag is moved can be found by its digest as long as it has another tag.
	assert.Equal(t, digests[0], save(t, one, dir, "first"))
	save(t, two, dir, "one")
	countsTo(t, 3, source, loadSnapshot(t, dir, "one"))
	countsTo(t, 2, source, loadSnapshot(t, dir, "first"))
	countsTo(t, 2, source, loadSnapshot(t, dir, digests[0]))
	save(t, two, dir, "first")
	_, err := hyperlight.LoadSnapshot(dir, digests[0])
	require.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)
	require.EqualError(t, err, "hyperlight: LoadSnapshot: no manifest with digest "+digests[0]+` in OCI layout "`+dir+`"`)

	_, err = hyperlight.LoadSnapshot(dir, "three")
	require.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)
	require.EqualError(t, err, `hyperlight: LoadSnapshot: no manifest tagged "three" in OCI layout "`+dir+
		`". Available tags: ["two", "one", "first"]`)
}

// Upstream replaces a layout's index without a lock; here, saves take turns.
func TestSavesOfOneProcessKeepEachOthersTags(t *testing.T) {
	snapshot := takeSnapshot(t, counted(t, 1))
	dir := t.TempDir()
	var wait sync.WaitGroup
	failures := make([]error, 8)
	for i := range failures {
		wait.Go(func() { _, failures[i] = snapshot.Save(dir, fmt.Sprint("v", i)) })
	}
	wait.Wait()
	require.NoError(t, errors.Join(failures...))
	for i := range failures {
		assert.NoError(t, loadSnapshot(t, dir, fmt.Sprint("v", i), hyperlight.WithoutVerification()).Close())
	}
}

// A tag that moves while it is loaded gives one snapshot or the other, with its own sizes.
func TestLoadWhileTheTagMoves(t *testing.T) {
	small := takeSnapshot(t, counted(t, 0, hyperlight.WithHeapSize(4<<20)))
	big := takeSnapshot(t, counted(t, 0, hyperlight.WithHeapSize(6<<20)))
	target := loadHandler(t, counter)
	dir := t.TempDir()
	save(t, small, dir, "v1")
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			_, err := []*hyperlight.Snapshot{big, small}[i%2].Save(dir, "v1")
			assert.NoError(t, err)
		}
	})
	for range 20 {
		snapshot := loadSnapshot(t, dir, "v1", hyperlight.WithoutVerification())
		require.Contains(t, []hyperlight.Config{small.Config(), big.Config()}, snapshot.Config())
		countsTo(t, 1, target, snapshot)
	}
	close(done)
	wait.Wait()
}

func TestSaveRefuses(t *testing.T) {
	snapshot := takeSnapshot(t, counted(t, 0))
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o666))
	foreign := filepath.Join(dir, "foreign")
	require.NoError(t, os.Mkdir(foreign, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "oci-layout"), []byte(`{"imageLayoutVersion":"2.0.0"}`), 0o666))
	broken := filepath.Join(dir, "broken")
	require.NoError(t, os.Mkdir(broken, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(broken, "index.json"), nil, 0o666))
	before := tree(t, dir)

	for name, test := range map[string]struct {
		dir, tag string
		sentinel error
		text     string
	}{
		"no tag": {dir + "/new", "", hyperlight.ErrInvalidArgument, `tag "" is invalid: must be 1..=128 bytes`},
		"long tag": {
			dir + "/new", strings.Repeat("a", 129), hyperlight.ErrInvalidArgument,
			`tag "` + strings.Repeat("a", 129) + `" is invalid: must be 1..=128 bytes`,
		},
		"bad beginning": {
			dir + "/new", "-v1", hyperlight.ErrInvalidArgument,
			`tag "-v1" is invalid: first character must be alphanumeric or '_'`,
		},
		"bad character": {
			dir + "/new", "v/1", hyperlight.ErrInvalidArgument,
			`tag "v/1" is invalid: characters after the first must be alphanumeric or one of '_', '.', '-'`,
		},
		"folder with a NUL":       {dir + "/\x00", "v1", hyperlight.ErrInvalidArgument, fmt.Sprintf("the folder contains a NUL byte at offset %d", len(dir)+1)},
		"folder that is no UTF-8": {"\xff", "v1", hyperlight.ErrInvalidArgument, "the folder is not UTF-8: invalid byte at offset 0"},
		"no folder":               {"", "v1", hyperlight.ErrSnapshotIO, `save: failed to create layout dir "": No such file or directory (os error 2)`},
		"no parent": {
			dir + "/a/b", "v1", hyperlight.ErrSnapshotIO,
			`save: parent directory "` + dir + `/a" not accessible: No such file or directory (os error 2)`,
		},
		"parent is a file": {
			file + "/b", "v1", hyperlight.ErrSnapshotIO,
			`save: parent of "` + file + `/b" is not a directory`,
		},
		"a file is there": {file, "v1", hyperlight.ErrSnapshotIO, `save: "` + file + `" exists and is not a directory`},
		"nothing can be made there": {
			"/proc/snapshots", "v1", hyperlight.ErrSnapshotIO,
			`save: failed to create layout dir "/proc/snapshots": No such file or directory (os error 2)`,
		},
		"layout of the future": {
			foreign, "v1", hyperlight.ErrSnapshotIncompatible,
			`save: existing imageLayoutVersion "2.0.0" is unsupported (expected "1.0.0") (take and save it again on this kind of host)`,
		},
		"broken layout": {
			broken, "v1", hyperlight.ErrSnapshotCorrupt,
			"save: existing index.json is not a valid OCI image index: EOF while parsing a value at line 1 column 0 (save the snapshot again)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := snapshot.Save(test.dir, test.tag)
			require.ErrorIs(t, err, test.sentinel)
			require.EqualError(t, err, "hyperlight: Save: "+test.text)
		})
	}
	assert.Equal(t, before, tree(t, dir), "what is refused changes nothing")
	_, err := hyperlight.LoadSnapshot(dir, "v1", nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
}

// tree is the contents of all files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	result := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		result[path] = string(content)
		return err
	}))
	return result
}

// A layout that was damaged, by whatever, must not do harm to this process. With verification, no damage
// gets into a guest.
func TestDamagedFiles(t *testing.T) {
	source := counted(t, 1)
	good := takeSnapshot(t, source)
	dir := t.TempDir()
	save(t, good, dir, "v1")
	for path, content := range tree(t, dir) {
		blob := len(content) > 1<<20
		name := filepath.Base(path)
		switch {
		case blob:
			name = "memory"
		case strings.Contains(content, `"layers"`):
			name = "manifest"
		case strings.Contains(content, `"snapshot_generation"`):
			name = "config"
		}
		for damage, damaged := range damages(content) {
			t.Run(damage+" "+name, func(t *testing.T) {
				require.NoError(t, os.WriteFile(path, []byte(damaged), 0o666))
				defer func() { require.NoError(t, os.WriteFile(path, []byte(content), 0o666)) }()

				snapshot, err := hyperlight.LoadSnapshot(dir, "v1")
				if err == nil {
					require.False(t, blob)
					require.Contains(t, []string{"index.json", "oci-layout"}, name, "these have no digest")
					countsTo(t, 2, source, snapshot)
					require.NoError(t, snapshot.Close())
				} else {
					requireSnapshotError(t, err)
				}

				snapshot, err = hyperlight.LoadSnapshot(dir, "v1", hyperlight.WithoutVerification())
				if err != nil {
					requireSnapshotError(t, err)
					return
				}
				require.True(t, blob && len(damaged) == len(content) || strings.HasPrefix(damage, "flipped"),
					"only what keeps its size and structure can be loaded")
				tryDamaged(t, snapshot, good)
			})
		}
	}
	countsTo(t, 2, source, loadSnapshot(t, dir, "v1"))
}

// Who can write to a folder can put a guest of his own there that is no less whole. Its tag does not tell, but its
// digest does.
func TestDigestTellsForgery(t *testing.T) {
	dir, forged := t.TempDir(), t.TempDir()
	digest := save(t, takeSnapshot(t, counted(t, 1)), dir, "v1")
	forgedDigest := save(t, takeSnapshot(t, counted(t, 5)), forged, "v1")

	target := counted(t, 0)
	countsTo(t, 6, target, loadSnapshot(t, forged, "v1"))
	_, err := hyperlight.LoadSnapshot(forged, digest)
	require.ErrorIs(t, err, hyperlight.ErrSnapshotNotFound)

	// It pretends to be the digest that was asked for: in the index, and by the name of its file.
	index, err := os.ReadFile(filepath.Join(forged, "index.json"))
	require.NoError(t, err)
	renamed := strings.ReplaceAll(string(index), forgedDigest, digest)
	require.NotEqual(t, string(index), renamed)
	require.NoError(t, os.WriteFile(filepath.Join(forged, "index.json"), []byte(renamed), 0o666))
	blob := func(digest string) string {
		return filepath.Join(forged, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
	}
	require.NoError(t, os.Rename(blob(forgedDigest), blob(digest)))
	_, err = hyperlight.LoadSnapshot(forged, digest)
	require.ErrorIs(t, err, hyperlight.ErrSnapshotCorrupt)
	require.ErrorContains(t, err, "digest mismatch")
	countsTo(t, 6, target, loadSnapshot(t, forged, digest, hyperlight.WithoutVerification()))
}

// requireSnapshotError asserts that it is known what is wrong.
func requireSnapshotError(t *testing.T, err error) {
	t.Helper()
	known := []error{
		hyperlight.ErrSnapshotCorrupt, hyperlight.ErrSnapshotIncompatible, hyperlight.ErrSnapshotNotFound,
	}
	require.True(t, slices.ContainsFunc(known, func(sentinel error) bool { return errors.Is(err, sentinel) }), "%v", err)
}

// damages are some ways to damage a file; each changes it.
func damages(content string) map[string]string {
	n := len(content)
	flipped := func(at int) string {
		changed := []byte(content)
		changed[at] ^= 0x04
		return string(changed)
	}
	return map[string]string{
		"empty":               "",
		"cut by a byte":       content[:n-1],
		"cut in half":         content[:n/2],
		"cut to a page":       content[:n/2&^4095],
		"longer":              content + "x",
		"a page longer":       content + strings.Repeat("\x00", 4096),
		"all zero":            strings.Repeat("\x00", n),
		"all ones":            strings.Repeat("\xff", n),
		"second half is zero": content[:n/2] + strings.Repeat("\x00", n-n/2),
		"end is zero":         content[:n-n/16] + strings.Repeat("\x00", n/16),
		"flipped at 1/3":      flipped(n / 3),
		"flipped in 1/2":      flipped(n / 2),
	}
}

// tryDamaged restores a snapshot whose files were damaged. What the guest makes of it stays in its
// micro-VM, and a good snapshot recovers the sandbox, unless it says that nothing does.
func tryDamaged(t *testing.T, damaged, good *hyperlight.Snapshot) {
	t.Helper()
	loaded := counted(t, 0)
	if err := loaded.Restore(t.Context(), damaged); err == nil {
		_, _ = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		if again, err := loaded.Snapshot(t.Context()); err == nil {
			require.NoError(t, again.Close())
		}
	}
	require.NoError(t, damaged.Close())
	if !loaded.Status().IsUnrecoverable() {
		countsTo(t, 2, loaded, good)
	}
}

// Every number of a snapshot's config is changed in turn, and the rest is right. Whatever such a snapshot
// says of itself, this process lives, and the sandbox recovers unless it says that nothing helps.
func TestForgedConfigs(t *testing.T) {
	source := counted(t, 1)
	good := takeSnapshot(t, source)
	dir := t.TempDir()
	save(t, good, dir, "v1")
	path, content := configOfSaved(t, dir)
	target := counted(t, 0)
	outcomes := map[string]int{}
	for _, at := range regexp.MustCompile(`\b\d+\b`).FindAllStringIndex(content, -1) {
		for _, forged := range forgeries(content[at[0]:at[1]]) {
			require.NoError(t, os.WriteFile(path, []byte(content[:at[0]]+forged+content[at[1]:]), 0o666))
			snapshot, err := hyperlight.LoadSnapshot(dir, "v1", hyperlight.WithoutVerification())
			if err != nil {
				outcomes["not loaded"]++
				requireSnapshotError(t, err)
				continue
			}
			// The guest is not called: it might never return.
			if err := target.Restore(t.Context(), snapshot); err != nil {
				outcomes["not restored"]++
				require.NotErrorIs(t, err, hyperlight.ErrInternal)
			} else {
				outcomes["restored"]++
			}
			require.NoError(t, snapshot.Close())
			if target.Status().IsUnrecoverable() {
				require.NoError(t, target.Close())
				target = counted(t, 0)
			}
			// An interrupt that a forged register has pending outlives a restore, until the guest runs.
			restore(t, target, good)
			if _, err := target.HandleEvent(t.Context(), "handler", []byte(`{}`)); err != nil {
				outcomes["interrupted"]++
			}
			countsTo(t, 2, target, good)
		}
	}
	for _, outcome := range []string{"not loaded", "not restored", "restored"} {
		assert.NotZero(t, outcomes[outcome], outcome)
	}
}

// configOfSaved finds the config of the only snapshot in a layout.
func configOfSaved(t *testing.T, dir string) (path, content string) {
	t.Helper()
	for path, content := range tree(t, dir) {
		if strings.Contains(content, `"snapshot_generation"`) && strings.HasPrefix(content, "{") {
			return path, content
		}
	}
	require.FailNow(t, "there is no config")
	return "", ""
}

// forgeries are other numbers of the same length: the file's size is checked even if its digest is not.
func forgeries(number string) []string {
	next := []byte(number)
	last := len(next) - 1
	next[last] = '0' + (next[last]-'0'+1)%10
	return []string{strings.Repeat("9", len(number)), "1" + strings.Repeat("0", last), string(next)}
}
