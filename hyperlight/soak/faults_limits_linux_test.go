//go:build linux && amd64

package soak_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// limit sets a soft limit of this process.
func limit(t *testing.T, resource int, value uint64) {
	t.Helper()
	var now unix.Rlimit
	require.NoError(t, unix.Getrlimit(resource, &now))
	require.NoError(t, unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: now.Max}))
}

// roomFor lets this process map so many bytes more than it has.
func roomFor(t *testing.T, bytes uint64) {
	t.Helper()
	statistics, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var pages uint64
	_, err = fmt.Sscan(string(statistics), &pages)
	require.NoError(t, err)
	limit(t, unix.RLIMIT_AS, pages*uint64(os.Getpagesize())+bytes)
}

// startThreads has Go start threads while it can: one that it wants later and cannot have would end it.
func startThreads() {
	const threads = 16
	var all, done sync.WaitGroup
	all.Add(threads)
	for range threads {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			all.Done()
			all.Wait()
		})
	}
	done.Wait()
}

// A process that may not have more memory gets errors. The native library would end it, if it could not have what it
// copies guests' memory to.
func TestLittleMemory(t *testing.T) {
	if !inChild(t) {
		return
	}
	debug.SetGCPercent(-1) // Go, too, would end it.
	startThreads()
	survivor := counted(t)
	require.NoError(t, live(t.Context(), t.TempDir()))

	step := uint64(size(8, 1)) << 20
	failed := hardTimes(t, func(life int) { roomFor(t, 24<<20+uint64(life)*step) }, hyperlight.ErrHostResources)
	assert.Positive(t, failed["New"])
	assert.Positive(t, failed["LoadRuntime"])
	figure(t, "lives that ended for lack of memory, by method", failed)

	const noRoom = "the host has no room to copy the guest's memory, "
	call(t, survivor.loaded, "{}")
	roomFor(t, 24<<20)
	_, err := survivor.loaded.Snapshot(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrHostResources)
	assert.ErrorContains(t, err, "hyperlight: Snapshot: "+noRoom)
	assert.ErrorContains(t, err, "Cannot allocate memory (os error 12) (close sandboxes and snapshots, or raise the limits of this process)")
	assert.Equal(t, "3", call(t, survivor.loaded, "{}"))

	roomFor(t, 1<<30)
	for _, heap := range []int{400 << 20, 1 << 30, 4 << 30, 15 << 30, 16 << 30} {
		_, err := hyperlight.New(hyperlight.WithHeapSize(heap), hyperlight.WithScratchSize(1<<30))
		require.ErrorIs(t, err, hyperlight.ErrHostResources, heap)
		assert.ErrorContains(t, err, "hyperlight: New: "+noRoom)
	}
	_, err = hyperlight.New(hyperlight.WithHeapSize(16<<30+1), hyperlight.WithScratchSize(1<<30))
	require.ErrorIs(t, err, hyperlight.ErrMemorySize)

	limit(t, unix.RLIMIT_AS, unix.RLIM_INFINITY)
	recovers(t, survivor, hyperlight.StatusReady)
	require.NoError(t, live(t.Context(), t.TempDir()))
}

// The kernel counts mappings, too, in other places than memory.
func TestFewMappings(t *testing.T) {
	changesTheMachine(t)
	const setting = "/proc/sys/vm/max_map_count"
	usual, err := os.ReadFile(setting)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.WriteFile(setting, usual, 0)) }) // even if the child dies
	if !inChild(t) {
		return
	}
	startThreads()
	survivor := counted(t)
	require.NoError(t, live(t.Context(), t.TempDir()))
	failed := hardTimes(t, func(life int) {
		maps, err := os.ReadFile("/proc/self/maps")
		require.NoError(t, err)
		most := strings.Count(string(maps), "\n") + life
		require.NoError(t, os.WriteFile(setting, []byte(strconv.Itoa(most)), 0))
	}, hyperlight.ErrHostResources)
	require.NoError(t, os.WriteFile(setting, usual, 0))
	assert.Positive(t, failed["New"])
	assert.Positive(t, failed["LoadRuntime"])
	figure(t, "lives that ended for lack of mappings, by method", failed)
	recovers(t, survivor, hyperlight.StatusReady)
	require.NoError(t, live(t.Context(), t.TempDir()))
}

// Without files to open, there is at first no library, then no hypervisor, and none of that is for ever.
func TestFewFiles(t *testing.T) {
	if !inChild(t) {
		return
	}
	limit(t, unix.RLIMIT_NOFILE, 128)
	var taken []*os.File
	for {
		file, err := os.Open("/dev/null")
		if err != nil {
			require.ErrorIs(t, err, unix.EMFILE)
			break
		}
		taken = append(taken, file)
	}
	present, err := hyperlight.IsHypervisorPresent()
	require.ErrorIs(t, err, hyperlight.ErrLibraryNotFound)
	assert.False(t, present)
	require.ErrorIs(t, hyperlight.Probe(t.Context()), hyperlight.ErrLibraryNotFound)
	release := func() {
		require.NoError(t, taken[0].Close())
		taken = taken[1:]
	}

	release()
	_, err = hyperlight.Library()
	require.NoError(t, err)
	full, err := os.Open("/dev/null")
	require.NoError(t, err)
	present, err = hyperlight.IsHypervisorPresent()
	require.NoError(t, err)
	assert.False(t, present, "for the moment")
	err = hyperlight.Probe(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrHostResources)
	assert.EqualError(t, err, "hyperlight: New: the hypervisor cannot be opened: Too many open files (os error 24)"+
		" (close sandboxes and snapshots, or raise the limits of this process)")
	require.NoError(t, full.Close())

	failed := hardTimes(t, func(life int) {
		if life > 0 {
			release()
		}
	}, hyperlight.ErrHostResources, hyperlight.ErrSnapshotIO)
	assert.Positive(t, failed["LoadRuntime"])
	assert.Positive(t, failed["Save"])
	figure(t, "lives that ended for lack of files, by method", failed)
	for _, file := range taken {
		require.NoError(t, file.Close())
	}
	require.NoError(t, live(t.Context(), t.TempDir()))
	present, err = hyperlight.IsHypervisorPresent()
	require.NoError(t, err)
	assert.True(t, present)
}
