package soak_test

import (
	"os"
	"runtime"

	"github.com/stretchr/testify/require"
)

// held is what a process has of the things that leak.
type held struct{ goroutines, threads, files int }

func resources(t require.TestingT) held {
	count := func(folder string) int {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		return len(entries)
	}
	return held{runtime.NumGoroutine(), count("/proc/self/task"), count("/proc/self/fd")}
}
