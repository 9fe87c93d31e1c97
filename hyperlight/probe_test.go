//go:build linux && amd64

package hyperlight_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// build.sh runs this where guests run, and on the host itself, whatever that can do: a host without a
// hypervisor, or with one that boots no guest, has to get the error that says so.
func TestProbe(t *testing.T) {
	present, err := hyperlight.IsHypervisorPresent()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = hyperlight.Probe(ctx)
	switch {
	case os.Getenv("HYPERLIGHT_VM_INSIDE") != "":
		require.NoError(t, err, "the emulated machine boots guests")
		assert.True(t, present)
	case err == nil:
		assert.True(t, present)
	case present:
		require.ErrorIs(t, err, hyperlight.ErrHypervisorUnusable)
		assert.ErrorContains(t, err, "hyperlight: LoadRuntime: ")
		assert.ErrorContains(t, err, "(it cannot run a guest; `./build.sh doctor` tells more)")
	default:
		require.ErrorIs(t, err, hyperlight.ErrNoHypervisor)
		assert.ErrorContains(t, err, "hyperlight: New: ")
		assert.ErrorContains(t, err, "(check that /dev/kvm exists and that this user may open it)")
	}
	t.Logf("a hypervisor is present: %v; probing it: %v", present, err)
}

func TestProbeOfABadConfiguration(t *testing.T) {
	err := hyperlight.Probe(t.Context(), hyperlight.WithHeapSize(1))
	require.ErrorIs(t, err, hyperlight.ErrMemorySize)
	require.ErrorIs(t, hyperlight.Probe(t.Context(), nil), hyperlight.ErrInvalidArgument)
	//lint:ignore SA1012 that is what this tests
	require.ErrorIs(t, hyperlight.Probe(nil), hyperlight.ErrInvalidArgument)
}

// What is behind the options in the caller's slice is the caller's.
func TestProbeKeepsToItsOptions(t *testing.T) {
	all := []hyperlight.Option{hyperlight.WithHeapSize(1), nil}
	require.ErrorIs(t, hyperlight.Probe(t.Context(), all[:1]...), hyperlight.ErrMemorySize)
	assert.Nil(t, all[1])
}

func TestProbeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, hyperlight.Probe(ctx), context.Canceled)

	ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := hyperlight.Probe(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "hyperlight: ")
}
