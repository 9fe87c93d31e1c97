package hyperlight

import (
	"bytes"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// deep calls a function behind that many frames, of which a trace shows 100.
//
//go:noinline
func deep(frames int, function func()) int {
	if frames == 0 {
		function()
		return 0
	}
	return deep(frames-1, function) + 1
}

// Should Go change how it prints stacks, this fails: reentrancy would not be noticed without a context.
func TestGoroutineNumbers(t *testing.T) {
	here := goroutine()
	require.NotZero(t, here)
	assert.Equal(t, here, goroutine(), "it stays the same")
	assert.Zero(t, goroutineOfGuest(), "no guest waits for this one")
	for _, frames := range []int{0, 1, 49, 50, 99, 100, 101, 1000} {
		var there, maker uint64
		deep(frames, func() {
			capi.Guarded(func() {
				deep(frames, func() { there, maker = goroutine(), goroutineOfGuest() })
			}, nil)
		})
		assert.Equal(t, here, maker, frames)
		assert.NotZero(t, there)
		assert.NotEqual(t, here, there)
	}
	assert.Equal(t, here, goroutine())
}

// Whose goroutine a user's own goroutine is nobody knows.
func TestGoroutinesOfUsersHaveNoGuest(t *testing.T) {
	maker := make(chan uint64)
	capi.Guarded(func() {
		go func() { maker <- goroutineOfGuest() }()
		assert.Zero(t, <-maker)
	}, nil)
}

// Only the line that says who made the goroutine counts, and not what functions are called.
func TestGuardedInsideOfGuarded(t *testing.T) {
	capi.Guarded(func() {
		outer := goroutine()
		capi.Guarded(func() { assert.Equal(t, outer, goroutineOfGuest()) }, nil)
	}, nil)
}

// The numbers are those that everybody sees.
func TestGoroutineNumberIsGosOwn(t *testing.T) {
	var all bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&all, 2))
	first, _, _ := strings.Cut(all.String(), "\n")
	assert.Regexp(t, `^goroutine \d+ .*\[running`, first)
	assert.Equal(t, goroutine(), parseNumber([]byte(strings.Fields(first)[1])))
}
