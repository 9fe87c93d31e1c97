package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The processes that the tests start, and those that these start, are this program.
func TestMain(m *testing.M) {
	if os.Getenv("SNAPSHOTS_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) string {
	t.Helper()
	process := exec.Command(os.Args[0], args...)
	process.Env = append(os.Environ(), "SNAPSHOTS_RUN_MAIN=1")
	output, err := process.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

const answer = `{"next":250007,"of":25997}` + "\n"

func TestSecondProcessStartsFromTheFirstOnesSnapshot(t *testing.T) {
	output := program(t)
	require.Regexp(t, `^process \d+ ran the script, saved `+tag+`, and was ready after \S+\n`+regexp.QuoteMeta(answer)+
		`process \d+ restored `+tag+`, and was ready after \S+\n`+regexp.QuoteMeta(answer)+`$`, output)
}

// The folder is an OCI image layout, as upstream writes and reads it.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	loaded, how, err := warm(t.Context(), dir)
	require.NoError(t, err)
	defer loaded.Close()
	assert.Equal(t, "ran the script, saved "+tag, how)

	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	require.NoError(t, err)
	var index struct {
		Manifests []struct{ Annotations map[string]string }
	}
	require.NoError(t, json.Unmarshal(text, &index))
	require.Len(t, index.Manifests, 1)
	assert.Equal(t, tag, index.Manifests[0].Annotations["org.opencontainers.image.ref.name"])

	// What is damaged is not taken for a folder without snapshots, and written over.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.json"), text[1:], 0o666))
	_, _, err = warm(t.Context(), dir)
	require.ErrorIs(t, err, hyperlight.ErrSnapshotCorrupt)
}
