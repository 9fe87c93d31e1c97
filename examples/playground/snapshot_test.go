package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSnapshot(t *testing.T) {
	p := start(t, nil)
	v := p.visitor(t)
	status, text := v.refused("/snapshot", "")
	assert.Equal(t, http.StatusGone, status)
	assert.Contains(t, text, "run your code")

	assert.Equal(t, "1", v.must(counter, "{}"))
	empty := v.state("/restore")
	require.NotNil(t, empty.Error)
	assert.Equal(t, "There is no snapshot: take one first", empty.Error.Title)

	taken := v.state("/snapshot")
	require.Nil(t, taken.Error)
	assert.Positive(t, taken.Bytes)
	assert.Equal(t, state{Status: "ready", Runs: 1, Snapshot: true, SnapshotRuns: 1}, taken.State)

	restored := func(t *testing.T) {
		t.Helper()
		answer := v.state("/restore")
		require.Nil(t, answer.Error)
		assert.Equal(t, state{Status: "ready", Runs: 1, Snapshot: true, SnapshotRuns: 1}, answer.State)
		r := v.run(counter, "{}", patient)
		require.Nil(t, r.failure)
		assert.Equal(t, "2", r.result, "as after the snapshot")
		assert.Equal(t, []string{"running"}, r.phases, "nothing was loaded anew")
	}
	t.Run("other state", func(t *testing.T) {
		v.must(counter, "{}")
		assert.Equal(t, "3", v.must(counter, "{}"))
		restored(t)
	})
	t.Run("other code", func(t *testing.T) {
		assert.Equal(t, `"other"`, v.must(`function handler() { return "other" }`, "{}"))
		restored(t)
	})
	t.Run("other heap", func(t *testing.T) {
		r := v.run(counter, "{}", map[string]int{"heap": 4, "wallClock": 60_000, "cpuTime": 60_000})
		require.Nil(t, r.failure)
		assert.Equal(t, "booting", r.phases[0])
		restored(t)
	})
	t.Run("poisoned", func(t *testing.T) {
		r := v.run("function handler() { while (true) {} }", "{}", map[string]int{"wallClock": 200})
		require.NotNil(t, r.failure)
		answer := v.state("/snapshot")
		require.NotNil(t, answer.Error)
		assert.Equal(t, "The guest was stopped in the middle of something", answer.Error.Title)
		assert.True(t, answer.State.Snapshot, "the one before is kept")
		restored(t)
	})
	t.Run("lost", func(t *testing.T) {
		r := v.run("while (true) {}\nfunction handler() {}", "{}", map[string]int{"wallClock": 200})
		require.NotNil(t, r.failure)
		assert.Equal(t, "none", r.stats.State.Status, "a load that was stopped costs the sandbox")
		answer := v.state("/snapshot")
		require.NotNil(t, answer.Error)
		assert.Equal(t, "Nothing is loaded: run your code first", answer.Error.Title)
		restored(t)
	})
	assert.Empty(t, p.log.String())
}
