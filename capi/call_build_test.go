//go:build linux && amd64

package capi

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Building makes no guest yet, but asks for a hypervisor first. Where there is none, that is the answer.

const noHypervisor = "No Hypervisor was found for Sandbox"

func hypervisorPresent(t *testing.T) bool {
	t.Helper()
	loadLibrary(t)
	present, err := IsHypervisorPresent()
	requireOK(t, err)
	return present
}

func TestBuildConsumesTheBuilder(t *testing.T) {
	present, builder := hypervisorPresent(t), newBuilder(t)
	proto, err := BuilderBuild(builder)
	if present {
		requireOK(t, err)
		assert.NotEqual(t, ProtoSandbox{}, proto)
		ProtoSandboxFree(proto)
	} else {
		requireError(t, err, CodeNoHypervisor, noHypervisor)
		assert.Equal(t, ProtoSandbox{}, proto)
	}

	const consumed = "the builder has already been consumed"
	proto, err = BuilderBuild(builder)
	requireError(t, err, CodeConsumed, consumed)
	assert.Equal(t, ProtoSandbox{}, proto)
	config, err := BuilderGetConfig(builder)
	requireError(t, err, CodeConsumed, consumed)
	assert.Zero(t, config)
	requireError(t, BuilderSetHeapSize(builder, 8<<20), CodeConsumed, consumed)
	requireError(t, BuilderSetInterruptSignalOffset(builder, 1), CodeConsumed, consumed)
	entries := functions.len()
	requireError(t, BuilderSetPrint(builder, func(string) {}), CodeConsumed, consumed)
	assert.Equal(t, entries, functions.len(), "the function is released")
}

func TestScratchTooSmallForTheBuffers(t *testing.T) {
	present, builder := hypervisorPresent(t), newBuilder(t)
	requireOK(t, BuilderSetInputBufferSize(builder, 1<<20))
	_, err := BuilderBuild(builder)
	if !present {
		requireError(t, err, CodeNoHypervisor, noHypervisor)
		return
	}
	require.NotNil(t, err)
	assert.Equal(t, CodeMemoryTooSmall, err.Code)
	assert.Regexp(t, `^Memory requested 1048576 is less than the minimum size allowed \d+: the scratch size has to hold both buffers and the page tables of the heap$`, err.Message)
	_, err = BuilderBuild(builder)
	requireError(t, err, CodeConsumed, "the builder has already been consumed")
}

func TestSizesThatNoMachineHas(t *testing.T) {
	for name, set := range map[string]func(Builder, uint64) *Error{
		"heap":          BuilderSetHeapSize,
		"scratch":       BuilderSetScratchSize,
		"input buffer":  BuilderSetInputBufferSize,
		"output buffer": BuilderSetOutputBufferSize,
	} {
		t.Run(name, func(t *testing.T) {
			present := hypervisorPresent(t)
			for _, size := range []uint64{math.MaxUint64 - 4095, math.MaxInt64 - 4095} {
				builder := newBuilder(t)
				requireOK(t, set(builder, size))
				proto, err := BuilderBuild(builder)
				ProtoSandboxFree(proto)
				switch {
				case err == nil:
					t.Errorf("a sandbox of %d bytes was built", size)
				case present || err.Code != CodeNoHypervisor:
					assert.Equal(t, CodeMemoryTooBig, err.Code, err.Message)
				}
			}
		})
	}
}

// A process that can open no file cannot open a hypervisor, be there one or not.
func TestBuildWithoutDescriptors(t *testing.T) {
	built := child{}.last(t, usePath(realLibrary(t)), load(), buildBlind())
	const reason = "the hypervisor cannot be opened: Too many open files (os error 24)"
	assert.Equal(t, outcome{Text: fmt.Sprintf("present: false, code: %d, %s", CodeHostResources, reason)}, built)
}
