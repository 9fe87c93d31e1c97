package capi_test

import (
	"runtime"
	"testing"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

func TestThread(t *testing.T) {
	self, err := purego.Dlsym(purego.RTLD_DEFAULT, "pthread_self")
	require.NoError(t, err)
	here := func() uintptr {
		thread, _, _ := purego.SyscallN(self)
		require.Equal(t, thread, capi.Thread(), "it is what C says")
		return thread
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	first, others, end := here(), make(chan uintptr), make(chan struct{})
	defer close(end)
	seen := map[uintptr]bool{first: true}
	for range 3 {
		go func() {
			runtime.LockOSThread()
			others <- capi.Thread()
			<-end // The address of a thread that has ended may be another one's.
		}()
		thread := <-others
		require.False(t, seen[thread], "two threads that are alive have the same")
		seen[thread] = true
	}
	require.Equal(t, first, here())
}
