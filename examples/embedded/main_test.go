package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// alone is the name by which this executable, which carries the library as any build of this package does, is the
// program and not its tests. It is no variable, since the environment is to be empty.
const alone = "embedded"

func TestMain(m *testing.M) {
	if os.Args[0] == alone {
		main()
		return
	}
	os.Exit(m.Run())
}

// A copy of the executable, in a folder with nothing else, with no environment: no library is named, and without a
// home there is no cache to find one in.
func TestOneFileIsEnough(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	folder := t.TempDir()
	program := filepath.Join(folder, alone)
	content, err := os.ReadFile(executable)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, content, 0o700))

	command := exec.Cmd{Path: program, Args: []string{alone}, Dir: folder, Env: []string{}}
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	assert.Equal(t, `{"message":"Hello, World! All of this came in one file."}`+"\n", string(output))

	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, files, 1, "the program wrote nothing beside itself")
}

func TestTheEmbeddedLibraryIsTaken(t *testing.T) {
	require.NoError(t, hyperlight.UseLibrary(library))
	info, err := hyperlight.Library()
	require.NoError(t, err)
	assert.Equal(t, "the bytes given by the program", info.Place)
}
