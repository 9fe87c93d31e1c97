//go:build linux && amd64

package soak_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// A pool replaces a sandbox that a restore has lost, and its callers do not notice.
func TestPoolReplacesWhatIsLost(t *testing.T) {
	if !inChild(t) {
		return
	}
	var low []*os.File // Whose numbers the replacement's files get.
	for range 4 {
		file, err := os.Open("/dev/null")
		require.NoError(t, err)
		low = append(low, file)
	}
	tenants := func(_ context.Context, key string, sandbox *hyperlight.JSSandbox) error {
		return sandbox.AddHandler("handler", hyperlight.Script(`function handler() { return "`+key+`"; }`))
	}
	template := hyperlight.Template{
		Options: []hyperlight.Option{hyperlight.WithUpstreamDefaults()},
		Add:     func(sandbox *hyperlight.JSSandbox) error { return tenants(t.Context(), "-", sandbox) },
	}
	pool, err := hyperlight.NewPool(t.Context(), template, hyperlight.PoolSize(1),
		hyperlight.PoolTenants(tenants, hyperlight.TenantLimits{}))
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close(t.Context())) }()

	serves := func(key string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		result, err := pool.HandleTenantEvent(ctx, key, "handler", []byte("{}"))
		require.NoError(t, err)
		assert.Equal(t, `"`+key+`"`, string(result))
	}
	serves("a")
	serves("b") // In the same sandbox, which is then restored to what a needs.

	// From now on, this micro-VM can be given no other memory, whatever thread asks.
	machines := microVMs(t)
	require.Len(t, machines, 1)
	runtime.LockOSThread()
	require.NoError(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	machine := refusal{call: unix.SYS_IOCTL, argument: 0, mask: ^uint32(0), value: machines[0], err: unix.ENOMEM}
	require.NoError(t, install(machine, unix.SECCOMP_FILTER_FLAG_TSYNC))
	for _, file := range low {
		require.NoError(t, file.Close())
	}
	for _, key := range []string{"a", "b", "a"} {
		serves(key)
	}
	stats := pool.Stats()
	assert.Equal(t, uint64(1), stats.Replaced)
	assert.Zero(t, stats.FailedBoots)
	assert.NotEqual(t, machines, microVMs(t))
}

// microVMs are the files of this process's micro-VMs.
func microVMs(t *testing.T) (numbers []uint32) {
	t.Helper()
	open, err := os.ReadDir(ownFiles)
	require.NoError(t, err)
	for _, file := range open {
		target, err := os.Readlink(ownFiles + "/" + file.Name())
		if err != nil || target != "anon_inode:kvm-vm" {
			continue
		}
		number, err := strconv.ParseUint(file.Name(), 10, 32)
		require.NoError(t, err)
		numbers = append(numbers, uint32(number))
	}
	return numbers
}
