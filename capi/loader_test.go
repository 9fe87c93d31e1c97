//go:build linux && amd64

package capi

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everywhere is a child that finds the real library at every place where the loader looks.
type everywhere struct {
	child
	library string // for what is given by path or bytes
}

func newEverywhere(t *testing.T) everywhere {
	t.Helper()
	e := everywhere{library: realLibrary(t)}
	executable, err := os.Executable()
	require.NoError(t, err)
	e.program = filepath.Join(t.TempDir(), "program")
	copyFile(t, executable, e.program)
	copyFile(t, e.library, e.nextToProgram())
	cache, system := t.TempDir(), t.TempDir()
	e.environment = map[string]string{
		LibraryVariable:   filepath.Join(t.TempDir(), "named.so"),
		CacheVariable:     cache,
		"LD_LIBRARY_PATH": system,
	}
	copyFile(t, e.library, e.environment[LibraryVariable])
	copyFile(t, e.library, e.inCache())
	copyFile(t, e.library, filepath.Join(system, Soname))
	return e
}

func (e everywhere) nextToProgram() string {
	return filepath.Join(filepath.Dir(e.program), LibraryName)
}

func (e everywhere) inCache() string {
	return filepath.Join(e.environment[CacheVariable], "lib", fmt.Sprintf("abi-%d", ABIVersion), LibraryName)
}

func TestLoadPrecedence(t *testing.T) {
	e := newEverywhere(t)
	named := e.environment[LibraryVariable]
	remove := func(path string) func() {
		return func() { require.NoError(t, os.Remove(path)) }
	}
	// Each row takes away what the row before found.
	for _, row := range []struct {
		takeAway func()
		steps    []step
		place    string
	}{
		{nil, []step{embed(e.library), useBytes(e.library), usePath(e.library)}, "the path given by the program, " + e.library},
		{nil, []step{embed(e.library), usePath(e.library), useBytes(e.library)}, "the bytes given by the program"},
		{nil, []step{embed(e.library)}, "the environment variable HYPERLIGHT_JS_LIBRARY, " + named},
		{func() { e.environment[LibraryVariable] = "" }, []step{embed(e.library)}, "the bytes embedded in the program"},
		{nil, nil, "next to the executable, " + e.nextToProgram()},
		{remove(e.nextToProgram()), nil, "the cache of build.sh, " + e.inCache()},
		{remove(e.inCache()), nil, "the system's library path, " + Soname},
	} {
		if row.takeAway != nil {
			row.takeAway()
		}
		outcomes := e.run(t, append(row.steps, load(), doVersion())...)
		loaded, version := outcomes[len(outcomes)-2], outcomes[len(outcomes)-1]
		assert.Equal(t, outcome{Place: row.place}, loaded)
		assert.NotEmpty(t, version.Text)
	}
}

// What the program or the user chose is tried alone: another library could be an older one.
func TestLoadTriesNothingButWhatWasChosen(t *testing.T) {
	e := newEverywhere(t)
	text := writeFile(t, longText)
	for name, test := range map[string]struct {
		steps []step
		named string
		place string
	}{
		"path":     {[]step{usePath(text)}, e.library, "the path given by the program, " + text},
		"bytes":    {[]step{useBytes(text)}, e.library, "the bytes given by the program"},
		"variable": {nil, text, "the environment variable HYPERLIGHT_JS_LIBRARY, " + text},
	} {
		t.Run(name, func(t *testing.T) {
			e.environment[LibraryVariable] = test.named
			failed := e.last(t, append(test.steps, load())...)
			require.Len(t, failed.Tried, 1)
			assert.Contains(t, failed.Tried[0], test.place+": ")
			assert.Contains(t, failed.Tried[0], "invalid ELF header")
		})
	}
}

func TestLoadTakesTheNextPlaceWhenNothingWasChosen(t *testing.T) {
	e := newEverywhere(t)
	e.environment[LibraryVariable] = ""
	require.NoError(t, os.WriteFile(e.nextToProgram(), []byte("no library at all"), 0o600))
	copyFile(t, standIn(t, "-DABI_VERSION=999"), e.inCache())
	assert.Equal(t, outcome{Place: "the system's library path, " + Soname}, e.last(t, load()))
}

// To embed a library is a choice as well: another one must not slip in where it does not load.
func TestLoadTakesNothingButTheEmbeddedLibrary(t *testing.T) {
	e := newEverywhere(t)
	e.environment[LibraryVariable] = ""
	failed := e.last(t, embed(writeFile(t, "no library")), load())
	require.Len(t, failed.Tried, 1)
	assert.True(t, strings.HasPrefix(failed.Tried[0], "the bytes embedded in the program: "), failed.Tried[0])
}

func TestLoadFailureListsWhatWasTried(t *testing.T) {
	e := newEverywhere(t)
	e.environment[LibraryVariable] = ""
	e.environment["LD_LIBRARY_PATH"] = ""
	require.NoError(t, os.Remove(e.nextToProgram()))
	copyFile(t, standIn(t, "-DABI_VERSION=999"), e.inCache())
	failed := e.last(t, load())
	require.Len(t, failed.Tried, 3)
	for i, parts := range [][]string{
		{"next to the executable, " + e.nextToProgram() + ": ", "no such file or directory"},
		{"the cache of build.sh, " + e.inCache() + ": ", "it has ABI version 999"},
		{"the system's library path, " + Soname + ": ", "cannot open shared object file"},
	} {
		assert.True(t, strings.HasPrefix(failed.Tried[i], parts[0]), failed.Tried[i])
		assert.Contains(t, failed.Tried[i], parts[1])
	}
	assert.True(t, failed.ABIMismatch)
	assert.Empty(t, failed.Place)
	assert.Equal(t, "no usable libhyperlight_js_capi.so was found; tried:\n  "+strings.Join(failed.Tried, "\n  "), failed.Err)
}

// A program that is linked with the library asks for it by the name inside.
func TestSonameIsThatOfTheLibrary(t *testing.T) {
	file, err := elf.Open(realLibrary(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	name, err := file.DynString(elf.DT_SONAME)
	require.NoError(t, err)
	assert.Equal(t, []string{Soname}, name)
}

// The name without a version is for compilers, and says nothing about what the file is good for.
func TestTheSystemIsNotAskedForAnyVersion(t *testing.T) {
	library := realLibrary(t)
	folder := t.TempDir()
	copyFile(t, library, filepath.Join(folder, LibraryName))
	c := child{environment: map[string]string{LibraryVariable: "", CacheVariable: t.TempDir(), "LD_LIBRARY_PATH": folder}}
	assert.Contains(t, c.last(t, load()).Err, Soname+": cannot open shared object file")
	require.NoError(t, os.Symlink(LibraryName, filepath.Join(folder, Soname)))
	assert.Equal(t, outcome{Place: "the system's library path, " + Soname}, c.last(t, load()))
}

// Where there is no home, there is no cache to look into either.
func TestLoadWithoutAHome(t *testing.T) {
	c := child{environment: map[string]string{CacheVariable: "", "HOME": "", "XDG_CACHE_HOME": ""}}
	failed := c.last(t, load())
	require.Len(t, failed.Tried, 2)
	assert.NotContains(t, failed.Err, "cache")
}

func TestCacheFolder(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/xdg")
	t.Setenv(CacheVariable, "")
	folder, err := CacheFolder()
	require.NoError(t, err)
	assert.Equal(t, "/xdg/hyperlight-js-go", folder)
	t.Setenv(CacheVariable, "/mine")
	folder, err = CacheFolder()
	require.NoError(t, err)
	assert.Equal(t, "/mine", folder)
}

func TestAVariableThatIsEmptyIsNotSet(t *testing.T) {
	c := child{environment: map[string]string{LibraryVariable: ""}}
	failed := c.last(t, load())
	assert.NotContains(t, failed.Err, LibraryVariable)
	assert.Len(t, failed.Tried, 3)
}

// dlopen would search the system's library path for a name without a slash.
func TestAPathWithoutSlashIsInTheWorkingDirectory(t *testing.T) {
	library := realLibrary(t)
	c := child{dir: t.TempDir(), environment: map[string]string{"LD_LIBRARY_PATH": filepath.Dir(library)}}
	missing := c.last(t, usePath(LibraryName), load())
	assert.Contains(t, missing.Err, "no such file or directory")

	copyFile(t, library, filepath.Join(c.dir, "mine.so"))
	for _, path := range []string{"mine.so", "./mine.so"} {
		assert.Equal(t, outcome{Place: "the path given by the program, " + path}, c.last(t, usePath(path), load()))
	}
	c.environment[LibraryVariable] = "mine.so"
	assert.Equal(t, outcome{Place: "the environment variable HYPERLIGHT_JS_LIBRARY, mine.so"}, c.last(t, load()))
}

func TestLoadOnce(t *testing.T) {
	library := filepath.Join(t.TempDir(), "library.so")
	copyFile(t, realLibrary(t), library)
	place := "the path given by the program, " + library
	outcomes := child{}.run(t,
		usePath(library), load(), remove(library), load(),
		usePath("/other"), useBytes(realLibrary(t)), load(), doVersion())
	tooLate := outcome{Err: "the library was loaded before, from " + place, LoadedFrom: place}
	assert.Equal(t, []outcome{{}, {Place: place}, {}, {Place: place}, tooLate, tooLate, {Place: place}}, outcomes[:7])
	assert.NotEmpty(t, outcomes[7].Text)
}

func TestLoadCanBeRepeatedAfterAFailure(t *testing.T) {
	library := realLibrary(t)
	outcomes := child{}.run(t,
		usePath("/nowhere.so"), load(),
		usePath(standIn(t, "-DABI_VERSION=999")), load(),
		useBytes(writeFile(t, "text")), load(),
		usePath(library), load(), doVersion())
	for _, failed := range []int{1, 3, 5} {
		assert.NotEmpty(t, outcomes[failed].Err)
		assert.Empty(t, outcomes[failed].Place)
	}
	assert.Equal(t, []bool{false, true, false}, []bool{outcomes[1].ABIMismatch, outcomes[3].ABIMismatch, outcomes[5].ABIMismatch})
	assert.Equal(t, outcome{Place: "the path given by the program, " + library}, outcomes[7])
	assert.NotEmpty(t, outcomes[8].Text)
}

// An empty path takes a choice back.
func TestNothingChosen(t *testing.T) {
	failed := child{}.last(t, usePath("/nowhere.so"), usePath(""), load())
	assert.Len(t, failed.Tried, 3)
	assert.NotContains(t, failed.Err, "/nowhere.so")
}

func TestLoadConcurrently(t *testing.T) {
	library := realLibrary(t)
	loaded := child{}.last(t, usePath(library), loadConcurrently())
	assert.Empty(t, loaded.Err)
	assert.Equal(t, "the path given by the program, "+library, loaded.Place)
	assert.NotEmpty(t, loaded.Text)

	failed := child{}.last(t, usePath("/nowhere.so"), loadConcurrently())
	assert.Contains(t, failed.Err, "no such file or directory")
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.so")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// standIn compiles testdata/standin.c.
func standIn(t *testing.T, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "standin.so")
	compileC(t, "cc", append(flags, "-shared", "-fPIC", "-o", path, filepath.Join("testdata", "standin.c"))...)
	return path
}
