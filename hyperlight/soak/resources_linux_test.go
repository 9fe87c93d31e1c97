package soak_test

import (
	"os"
	"runtime"

	"github.com/stretchr/testify/require"
)

// Folders with an entry for each file that this process has open, and for each of its threads.
const (
	ownFiles   = "/proc/self/fd"
	ownThreads = "/proc/self/task"
)

func entries(t require.TestingT, folder string) int {
	all, err := os.ReadDir(folder)
	require.NoError(t, err)
	return len(all)
}

// held is what a process has of the things that leak.
type held struct{ goroutines, threads, files int }

func resources(t require.TestingT) held {
	return held{runtime.NumGoroutine(), entries(t, ownThreads), entries(t, ownFiles)}
}
