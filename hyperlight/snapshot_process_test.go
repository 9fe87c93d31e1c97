//go:build linux && amd64

package hyperlight_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// folderVariable makes this test binary the child of TestSnapshotsCrossProcesses, and names the folder.
const folderVariable = "HYPERLIGHT_TEST_SNAPSHOT_FOLDER"

// A parent saves a snapshot, its child goes on from there and saves what came of it, and the parent
// goes on from there.
func TestSnapshotsCrossProcesses(t *testing.T) {
	if dir, ok := os.LookupEnv(folderVariable); ok {
		goOnAsChild(t, dir)
		return
	}
	dir := t.TempDir()
	source := counted(t, 3)
	digest := save(t, takeSnapshot(t, source), dir, "parent")

	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), folderVariable+"="+dir)
	output, err := child.CombinedOutput()
	require.NoError(t, err, "%s", output)

	countsTo(t, 6, source, loadSnapshot(t, dir, "child"))
	countsTo(t, 4, source, loadSnapshot(t, dir, digest))
}

func goOnAsChild(t *testing.T, dir string) {
	before := signalAction(t, sigrtmin)
	verified := loadSnapshot(t, dir, "parent")
	unverified := loadSnapshot(t, dir, "parent", hyperlight.WithoutVerification())
	assert.Equal(t, before, signalAction(t, sigrtmin), "a snapshot that is loaded needs no signal handler")
	assert.Equal(t, hyperlight.DefaultHeapSize, verified.Config().HeapSize)

	target := loadHandler(t, `function handler() { return "mine"; }`)
	countsTo(t, 4, target, unverified)
	countsTo(t, 4, target, verified)
	assert.Equal(t, `{"count":5}`, call(t, target, `{}`))
	save(t, takeSnapshot(t, target), dir, "child")
}
