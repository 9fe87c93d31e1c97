package hyperlight_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestConfigIsReadBack(t *testing.T) {
	defaults := hyperlight.Config{
		HeapSize:            hyperlight.DefaultHeapSize,
		ScratchSize:         hyperlight.DefaultScratchSize,
		InputBufferSize:     hyperlight.DefaultInputBufferSize,
		OutputBufferSize:    hyperlight.DefaultOutputBufferSize,
		InterruptRetryDelay: 500 * time.Microsecond,
	}
	upstream := hyperlight.Config{
		HeapSize:            4 << 20,
		ScratchSize:         1 << 20,
		InputBufferSize:     16 << 10,
		OutputBufferSize:    16 << 10,
		InterruptRetryDelay: 500 * time.Microsecond,
	}
	custom := hyperlight.Config{
		HeapSize:            5 << 20,
		ScratchSize:         6 << 20,
		InputBufferSize:     100_000,
		OutputBufferSize:    200_000,
		InterruptRetryDelay: time.Millisecond,
	}
	slow := upstream
	slow.InterruptRetryDelay, slow.InterruptSignalOffset = time.Second, 3
	roomy := upstream
	roomy.ScratchSize = 2 << 20
	for name, test := range map[string]struct {
		opts []hyperlight.Option
		want hyperlight.Config
	}{
		"defaults":          {nil, defaults},
		"upstream defaults": {[]hyperlight.Option{hyperlight.WithUpstreamDefaults()}, upstream},
		"later options win": {[]hyperlight.Option{
			hyperlight.WithHeapSize(64 << 20), hyperlight.WithUpstreamDefaults(), hyperlight.WithScratchSize(2 << 20),
		}, roomy},
		"only sizes are upstream's": {[]hyperlight.Option{
			hyperlight.WithInterruptRetryDelay(time.Second), hyperlight.WithInterruptSignalOffset(3), hyperlight.WithUpstreamDefaults(),
		}, slow},
		"all": {[]hyperlight.Option{
			hyperlight.WithHeapSize(custom.HeapSize),
			hyperlight.WithScratchSize(custom.ScratchSize),
			hyperlight.WithInputBufferSize(custom.InputBufferSize),
			hyperlight.WithOutputBufferSize(custom.OutputBufferSize),
			hyperlight.WithInterruptRetryDelay(custom.InterruptRetryDelay),
		}, custom},
	} {
		t.Run(name, func(t *testing.T) {
			sandbox := newSandbox(t, test.opts...)
			assert.Equal(t, test.want, sandbox.Config())
			require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
			loaded, err := sandbox.Load(t.Context())
			require.NoError(t, err)
			closeWith(t, loaded)
			assert.Equal(t, test.want, loaded.Config())
			assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
		})
	}
}

func TestBadConfigIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		opt      hyperlight.Option
		sentinel error
		text     string
	}{
		"heap below the minimum": {
			hyperlight.WithHeapSize(4<<20 - 1), hyperlight.ErrMemorySize,
			"hyperlight: New: heap size is 4194303 bytes, below the minimum of 4194304",
		},
		"scratch below the minimum": {
			hyperlight.WithScratchSize(1), hyperlight.ErrMemorySize,
			"hyperlight: New: scratch size is 1 bytes, below the minimum of 1048576",
		},
		"scratch that is not made of pages": {
			hyperlight.WithScratchSize(16<<20 + 1), hyperlight.ErrInvalidArgument,
			"hyperlight: New: scratch size is 16777217 bytes, not a multiple of the page size of 4096",
		},
		"input buffer below the minimum": {
			hyperlight.WithInputBufferSize(8191), hyperlight.ErrMemorySize,
			"hyperlight: New: input buffer size is 8191 bytes, below the minimum of 8192",
		},
		"output buffer below the minimum": {
			hyperlight.WithOutputBufferSize(0), hyperlight.ErrMemorySize,
			"hyperlight: New: output buffer size is 0 bytes, below the minimum of 8192",
		},
		"scratch too small for the buffers": {
			hyperlight.WithScratchSize(2 << 20), hyperlight.ErrMemorySize,
			"hyperlight: New: Memory requested 2097152 is less than the minimum size allowed 2146304: " +
				"the scratch size has to hold both buffers and the page tables of the heap",
		},
		"scratch beyond what a guest can have": {
			hyperlight.WithScratchSize(1 << 40), hyperlight.ErrMemorySize,
			"hyperlight: New: Memory requested 1099511627776 exceeds maximum size allowed 17179852800",
		},
		"sizes that would overflow": {
			hyperlight.WithInputBufferSize(math.MaxInt), hyperlight.ErrMemorySize,
			"hyperlight: New: input buffer size is 9223372036854775807 bytes, more than any sandbox can have",
		},
		"a negative size": {
			hyperlight.WithHeapSize(-1), hyperlight.ErrInvalidArgument,
			"hyperlight: New: heap size is -1, below zero",
		},
		"a negative delay": {
			hyperlight.WithInterruptRetryDelay(-1), hyperlight.ErrInvalidArgument,
			"hyperlight: New: interrupt retry delay is -1, below zero",
		},
		"a signal that does not exist": {
			hyperlight.WithInterruptSignalOffset(200), hyperlight.ErrInvalidArgument,
			"hyperlight: New: Invalid SIGRTMIN offset: 200. It exceeds the maximum real-time signal number.",
		},
		"no option": {
			nil, hyperlight.ErrInvalidArgument,
			"hyperlight: New: an option is nil",
		},
	} {
		t.Run(name, func(t *testing.T) {
			proto, err := hyperlight.New(test.opt)
			require.ErrorIs(t, err, test.sentinel)
			assert.Nil(t, proto)
			assert.EqualError(t, err, test.text)
			if test.sentinel == hyperlight.ErrMemorySize {
				assert.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
			}
		})
	}
}

// The number that upstream names includes the guest's own size, which depends on the compiler.
func TestHeapBeyondWhatAGuestCanHave(t *testing.T) {
	_, err := hyperlight.New(hyperlight.WithHeapSize(1 << 40))
	require.ErrorIs(t, err, hyperlight.ErrMemorySize)
	assert.Regexp(t, `^hyperlight: New: Memory requested 10995\d+ exceeds maximum size allowed 17179852800$`, err.Error())
}

// Between what New accepts and what the guest needs to start there are some sizes that fail at the boot.
func TestScratchTooSmallToBoot(t *testing.T) {
	const page, least = 4096, 2_146_304 // which New names when it refuses 2 MiB
	var proto *hyperlight.ProtoJSSandbox
	for size := least; proto == nil; size += page {
		var err error
		if proto, err = hyperlight.New(hyperlight.WithScratchSize(size)); err != nil {
			require.ErrorIs(t, err, hyperlight.ErrMemorySize)
			require.Less(t, size, 2*least)
		}
	}
	closeWith(t, proto)
	_, err := proto.LoadRuntime(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
	assert.NotErrorIs(t, err, hyperlight.ErrHypervisorUnusable)
	assert.ErrorContains(t, err, "Out of physical memory")
	assert.ErrorContains(t, err, "(raise WithHeapSize and WithScratchSize)")
	assert.EqualValues(t, 13, asError(t, err).GuestCode)
	assert.Equal(t, hyperlight.StatusConsumed, proto.Status())
}

func TestInterruptSignalOffset(t *testing.T) {
	loaded := loadHandler(t, counter, hyperlight.WithInterruptSignalOffset(3))
	assert.EqualValues(t, 3, loaded.Config().InterruptSignalOffset)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
}

// TestDebugging starts no guest, which would wait for gdb.
func TestDebugging(t *testing.T) {
	proto, err := hyperlight.New(hyperlight.WithDebugging(1234))
	if hasFeature(t, "gdb") {
		require.NoError(t, err)
		closeWith(t, proto)
		return
	}
	require.ErrorIs(t, err, hyperlight.ErrUnsupported)
	assert.EqualError(t, err, "hyperlight: New: this build of the library does not support debugging guests (feature gdb, with debug assertions)")
	assert.Nil(t, proto)
}
