//go:build linux && amd64

package hyperlight_test

import (
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// sigrtmin is SIGRTMIN of glibc, which keeps the two signals below it for itself.
const sigrtmin = 34

// kernelSigaction is struct sigaction as the kernel has it.
type kernelSigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

func signalAction(t *testing.T, signal int) kernelSigaction {
	t.Helper()
	var action kernelSigaction
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), 0,
		uintptr(unsafe.Pointer(&action)), unsafe.Sizeof(action.mask), 0, 0)
	require.Zero(t, errno)
	return action
}

// Go crashes when a handler without SA_ONSTACK runs on a goroutine's stack, and upstream installs its
// handler, without the flag, at every LoadRuntime.
func TestInterruptSignalHandlerUsesTheSignalStack(t *testing.T) {
	const saOnStack = 0x08000000
	for range 2 {
		newSandbox(t)
		action := signalAction(t, sigrtmin)
		require.Greater(t, action.handler, uintptr(1), "neither default nor ignored")
		assert.NotZero(t, action.flags&saOnStack)
	}
}

// Go preempts goroutines with SIGURG, which can hit a thread inside KVM_CREATE_VM; the kernel then
// gives up with EINTR, and upstream gives up with it.
func TestLoadRuntimeUnderSignals(t *testing.T) {
	var stop atomic.Bool
	var storm sync.WaitGroup
	storm.Go(func() {
		self := os.Getpid()
		for !stop.Load() {
			threads, err := os.ReadDir("/proc/self/task")
			if !assert.NoError(t, err) {
				return
			}
			for _, thread := range threads {
				if tid, err := strconv.Atoi(thread.Name()); err == nil {
					_ = unix.Tgkill(self, tid, unix.SIGURG) // it may have ended since
				}
			}
		}
	})
	defer storm.Wait()
	defer stop.Store(true)
	for range 10 {
		loaded := loadHandler(t, counter, hyperlight.WithUpstreamDefaults())
		assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
		require.NoError(t, loaded.Close())
	}
}
