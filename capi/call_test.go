//go:build linux && amd64

package capi

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests call the real library, as far as it works without a guest.

func newBuilder(t testing.TB) Builder {
	t.Helper()
	loadLibrary(t)
	builder, err := BuilderNew()
	requireOK(t, err)
	t.Cleanup(func() { BuilderFree(builder) })
	return builder
}

// requireOK exists because a nil *Error in an error is not nil.
func requireOK(t testing.TB, err *Error) {
	t.Helper()
	if err != nil {
		require.FailNow(t, "the call failed", "code %d: %s", err.Code, err.Message)
	}
}

// requireError checks that a call failed in this way and no other.
func requireError(t testing.TB, err *Error, code Code, message string) {
	t.Helper()
	require.NotNil(t, err, "the call succeeded")
	require.Equal(t, Error{Code: code, Message: message}, *err)
}

func readConfig(t testing.TB, builder Builder) Config {
	t.Helper()
	config, err := BuilderGetConfig(builder)
	requireOK(t, err)
	return config
}

// upstreamDefaults are what BuilderNew starts with.
var upstreamDefaults = Config{
	HeapSize:            4 << 20,
	ScratchSize:         1 << 20,
	InputBufferSize:     16 << 10,
	OutputBufferSize:    16 << 10,
	InterruptRetryDelay: uint64(500 * time.Microsecond),
}

func TestABIVersionOfTheLibrary(t *testing.T) {
	loadLibrary(t)
	assert.EqualValues(t, ABIVersion, abiVersion())
}

func TestVersionIsTheWorkspaces(t *testing.T) {
	loadLibrary(t)
	manifest, err := os.ReadFile(filepath.Join("..", "Cargo.toml"))
	require.NoError(t, err)
	match := regexp.MustCompile(`(?s)\[workspace\.package\]\nversion = "([^"]+)"`).FindSubmatch(manifest)
	require.NotNil(t, match)
	assert.Equal(t, string(match[1]), Version())
}

func TestFeaturesAreThoseOfTheManifest(t *testing.T) {
	loadLibrary(t)
	if Features() == "" {
		return // The usual build has none.
	}
	manifest, err := os.ReadFile(filepath.Join("..", "rust-shim", "Cargo.toml"))
	require.NoError(t, err)
	features := strings.Split(Features(), ",")
	assert.True(t, slices.IsSorted(features), features)
	assert.Equal(t, slices.Compact(slices.Clone(features)), features)
	for _, feature := range features {
		assert.Regexp(t, `(?m)^`+regexp.QuoteMeta(feature)+` = \[`, string(manifest))
	}
}

// build.sh embeds upstream's runtime unless it is told otherwise; the version is that in Cargo.lock.
func TestRuntime(t *testing.T) {
	loadLibrary(t)
	lock, err := os.ReadFile(filepath.Join("..", "Cargo.lock"))
	require.NoError(t, err)
	match := regexp.MustCompile(`name = "hyperlight-js-runtime"\nversion = "([^"]+)"`).FindSubmatch(lock)
	require.NotNil(t, match)
	assert.Regexp(t, `^(hyperlight-js-runtime `+regexp.QuoteMeta(string(match[1]))+`|custom, sha256 [0-9a-f]{64})$`, Runtime())
}

func TestBuilderStartsWithUpstreamsDefaults(t *testing.T) {
	assert.Equal(t, upstreamDefaults, readConfig(t, newBuilder(t)))
}

func TestBuilderKeepsWhatIsSet(t *testing.T) {
	for name, test := range map[string]struct {
		set  func(Builder) *Error
		want func(*Config)
	}{
		"heap size": {
			func(b Builder) *Error { return BuilderSetHeapSize(b, 5<<20) },
			func(c *Config) { c.HeapSize = 5 << 20 },
		},
		"smallest heap": {
			func(b Builder) *Error { return BuilderSetHeapSize(b, 4<<20) },
			func(c *Config) { c.HeapSize = 4 << 20 },
		},
		"heap size beyond 32 bits": {
			func(b Builder) *Error { return BuilderSetHeapSize(b, 5<<32) },
			func(c *Config) { c.HeapSize = 5 << 32 },
		},
		"scratch size": {
			func(b Builder) *Error { return BuilderSetScratchSize(b, 6<<20) },
			func(c *Config) { c.ScratchSize = 6 << 20 },
		},
		"smallest scratch": {
			func(b Builder) *Error { return BuilderSetScratchSize(b, 1<<20) },
			func(c *Config) { c.ScratchSize = 1 << 20 },
		},
		"input buffer": {
			func(b Builder) *Error { return BuilderSetInputBufferSize(b, 70_001) },
			func(c *Config) { c.InputBufferSize = 70_001 },
		},
		"smallest input buffer": {
			func(b Builder) *Error { return BuilderSetInputBufferSize(b, 8<<10) },
			func(c *Config) { c.InputBufferSize = 8 << 10 },
		},
		"output buffer": {
			func(b Builder) *Error { return BuilderSetOutputBufferSize(b, 80_001) },
			func(c *Config) { c.OutputBufferSize = 80_001 },
		},
		"smallest output buffer": {
			func(b Builder) *Error { return BuilderSetOutputBufferSize(b, 8<<10) },
			func(c *Config) { c.OutputBufferSize = 8 << 10 },
		},
		"retry delay": {
			func(b Builder) *Error { return BuilderSetInterruptRetryDelay(b, 7) },
			func(c *Config) { c.InterruptRetryDelay = 7 },
		},
		"no retry delay": {
			func(b Builder) *Error { return BuilderSetInterruptRetryDelay(b, 0) },
			func(c *Config) { c.InterruptRetryDelay = 1 },
		},
		"longest retry delay": {
			func(b Builder) *Error { return BuilderSetInterruptRetryDelay(b, math.MaxUint64) },
			func(c *Config) { c.InterruptRetryDelay = math.MaxUint64 },
		},
		"signal offset": {
			func(b Builder) *Error { return BuilderSetInterruptSignalOffset(b, 3) },
			func(c *Config) { c.InterruptSignalOffset = 3 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			builder, want := newBuilder(t), upstreamDefaults
			requireOK(t, test.set(builder))
			test.want(&want)
			assert.Equal(t, want, readConfig(t, builder))
		})
	}
}

func TestBuilderRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		set     func(Builder) *Error
		code    Code
		message string
	}{
		"heap below the minimum": {
			func(b Builder) *Error { return BuilderSetHeapSize(b, 4<<20-1) },
			CodeMemoryTooSmall, "heap size is 4194303 bytes, below the minimum of 4194304",
		},
		"no heap": {
			func(b Builder) *Error { return BuilderSetHeapSize(b, 0) },
			CodeMemoryTooSmall, "heap size is 0 bytes, below the minimum of 4194304",
		},
		"scratch below the minimum": {
			func(b Builder) *Error { return BuilderSetScratchSize(b, 1<<20-1) },
			CodeMemoryTooSmall, "scratch size is 1048575 bytes, below the minimum of 1048576",
		},
		"input buffer below the minimum": {
			func(b Builder) *Error { return BuilderSetInputBufferSize(b, 8<<10-1) },
			CodeMemoryTooSmall, "input buffer size is 8191 bytes, below the minimum of 8192",
		},
		"output buffer below the minimum": {
			func(b Builder) *Error { return BuilderSetOutputBufferSize(b, 1) },
			CodeMemoryTooSmall, "output buffer size is 1 bytes, below the minimum of 8192",
		},
		"signal that does not exist": {
			func(b Builder) *Error { return BuilderSetInterruptSignalOffset(b, 200) },
			CodeInvalidArgument, "Invalid SIGRTMIN offset: 200. It exceeds the maximum real-time signal number.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			builder := newBuilder(t)
			requireError(t, test.set(builder), test.code, test.message)
			assert.Equal(t, upstreamDefaults, readConfig(t, builder), "what is refused changes nothing")
		})
	}
}

// What depends on a feature is refused by a library without it, and only then.
func TestBuilderRefusesMissingFeatures(t *testing.T) {
	for feature, test := range map[string]struct {
		set     func(Builder) *Error
		message string
	}{
		"crashdump": {
			func(b Builder) *Error { return BuilderSetCrashdumpEnabled(b, true) },
			"this build of the library does not support core dumps of guests (feature crashdump)",
		},
		"gdb": {
			func(b Builder) *Error { return BuilderSetDebuggingPort(b, 9999) },
			"this build of the library does not support debugging guests (feature gdb, with debug assertions)",
		},
	} {
		t.Run(feature, func(t *testing.T) {
			builder := newBuilder(t)
			if slices.Contains(strings.Split(Features(), ","), feature) {
				require.Nil(t, test.set(builder))
			} else {
				requireError(t, test.set(builder), CodeUnsupported, test.message)
			}
			assert.Equal(t, upstreamDefaults, readConfig(t, builder))
		})
	}
}
