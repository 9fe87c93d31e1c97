//go:build linux && amd64

package hyperlight_test

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const (
	crasher = `function handler() { const all = []; for (;;) all.push(new Array(1000).fill(7)); }`
	keeper  = `const kept = []; function handler(event) { kept.push("<" + event + ">"); return kept.length; }`
)

func TestCrashdump(t *testing.T) {
	if hasFeature(t, "crashdump") {
		testWithCrashdump(t)
	} else {
		testWithoutCrashdump(t)
	}
}

func testWithoutCrashdump(t *testing.T) {
	const text = "this build of the library does not support core dumps of guests (feature crashdump)"
	for _, enabled := range []bool{true, false} {
		proto, err := hyperlight.New(hyperlight.WithCrashdump(enabled))
		require.ErrorIs(t, err, hyperlight.ErrUnsupported)
		assert.EqualError(t, err, "hyperlight: New: "+text)
		assert.Nil(t, proto)
	}
	folder := dumpFolder(t)
	err := newSandbox(t).GenerateCrashdump(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrUnsupported)
	assert.EqualError(t, err, "hyperlight: GenerateCrashdump: "+text)

	loaded := loadHandler(t, crasher)
	require.ErrorIs(t, loaded.GenerateCrashdump(t.Context()), hyperlight.ErrUnsupported)
	crash(t, loaded)
	assert.Empty(t, dumps(t, folder))
}

func testWithCrashdump(t *testing.T) {
	t.Run("on request", func(t *testing.T) {
		folder := dumpFolder(t)
		loaded := loadHandler(t, keeper)
		assert.Equal(t, "1", call(t, loaded, `"a secret"`))
		require.NoError(t, loaded.GenerateCrashdump(t.Context()))
		dump := onlyDump(t, folder)
		assert.Contains(t, string(dump), "<a secret>", "the dump is of this guest's memory")
		assert.Equal(t, "2", call(t, loaded, `"more"`), "a dump changes nothing")
	})
	t.Run("of a sandbox without handlers", func(t *testing.T) {
		folder := dumpFolder(t)
		require.NoError(t, newSandbox(t).GenerateCrashdump(t.Context()))
		onlyDump(t, folder)
	})
	t.Run("when the guest crashes", func(t *testing.T) {
		folder := dumpFolder(t)
		loaded := loadHandler(t, crasher)
		assert.Empty(t, dumps(t, folder), "none without a crash")
		crash(t, loaded)
		onlyDump(t, folder)

		again := dumpFolder(t)
		require.NoError(t, loaded.GenerateCrashdump(t.Context()), "on request too, of the crashed guest")
		onlyDump(t, again)
		assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
	})
	t.Run("none after a kill", func(t *testing.T) {
		folder := dumpFolder(t)
		loaded := loadHandler(t, `function handler() { while (true) {} }`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`),
			hyperlight.WithMonitors(hyperlight.WallClock(100*time.Millisecond)))
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		assert.Empty(t, dumps(t, folder))
	})
	t.Run("none after an exception", func(t *testing.T) {
		folder := dumpFolder(t)
		loaded := loadHandler(t, `function handler() { throw new Error("no crash"); }`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Empty(t, dumps(t, folder))
	})
	t.Run("turned off", func(t *testing.T) {
		folder := dumpFolder(t)
		loaded := loadHandler(t, crasher, hyperlight.WithCrashdump(false))
		crash(t, loaded)
		err := loaded.GenerateCrashdump(t.Context())
		require.ErrorIs(t, err, hyperlight.ErrUnsupported)
		assert.EqualError(t, err, "hyperlight: GenerateCrashdump: core dumps are turned off for this sandbox")
		assert.Empty(t, dumps(t, folder))
	})
	t.Run("turned on", func(t *testing.T) {
		folder := dumpFolder(t)
		crash(t, loadHandler(t, crasher, hyperlight.WithCrashdump(true)))
		onlyDump(t, folder)
	})
	t.Run("to the folder for temporary files", func(t *testing.T) {
		folder := t.TempDir()
		t.Setenv("TMPDIR", folder)
		t.Setenv("HYPERLIGHT_CORE_DUMP_DIR", filepath.Join(folder, "missing"))
		require.NoError(t, newSandbox(t).GenerateCrashdump(t.Context()))
		onlyDump(t, folder)
	})
	t.Run("that cannot be written", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		t.Setenv("HYPERLIGHT_CORE_DUMP_DIR", file)
		loaded := loadHandler(t, crasher)
		err := loaded.GenerateCrashdump(t.Context())
		require.ErrorIs(t, err, hyperlight.ErrInternal)
		assert.ErrorContains(t, err, "could not be written")
		crash(t, loaded) // whose own error is not lost
	})
	t.Run("without a word", func(t *testing.T) {
		dumpFolder(t)
		loaded := loadHandler(t, crasher)
		assert.Empty(t, standardOutput(t, func() {
			require.NoError(t, loaded.GenerateCrashdump(t.Context()))
			crash(t, loaded)
		}))
	})
	t.Run("of what is closed", func(t *testing.T) {
		loaded := loadHandler(t, keeper)
		require.NoError(t, loaded.Close())
		require.ErrorIs(t, loaded.GenerateCrashdump(t.Context()), hyperlight.ErrClosed)
	})
}

// dumpFolder is where dumps appear from now on. Upstream asks the C library for the variable, which hears of what Go sets,
// with cgo and with purego.
func dumpFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("HYPERLIGHT_CORE_DUMP_DIR", folder)
	return folder
}

func crash(t *testing.T, loaded *hyperlight.LoadedJSSandbox) {
	t.Helper()
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
}

func dumps(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "hl_core_*.elf"))
	require.NoError(t, err)
	return files
}

// onlyDump is the one dump in a folder, which is an ELF core file.
func onlyDump(t *testing.T, folder string) []byte {
	t.Helper()
	files := dumps(t, folder)
	require.Len(t, files, 1)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	core, err := elf.NewFile(bytes.NewReader(content))
	require.NoError(t, err)
	assert.Equal(t, elf.ET_CORE, core.Type)
	assert.Equal(t, elf.EM_X86_64, core.Machine)
	var memory uint64
	for _, program := range core.Progs {
		if program.Type == elf.PT_LOAD {
			memory += program.Filesz
		}
	}
	assert.Greater(t, memory, uint64(1<<20), "bytes of memory")
	return content
}

// standardOutput is what f writes to file descriptor 1, whoever does it.
func standardOutput(t *testing.T, f func()) string {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	kept, err := unix.Dup(1)
	require.NoError(t, err)
	require.NoError(t, unix.Dup2(int(writer.Fd()), 1))
	func() {
		defer func() {
			require.NoError(t, unix.Dup2(kept, 1))
			require.NoError(t, unix.Close(kept))
			require.NoError(t, writer.Close())
		}()
		f()
	}()
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(text)
}
