package hyperlight

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// currentThread is a system call, which a call hardly notices. The thread pointer would be none, but a new thread often has
// that of one that has ended.
func currentThread() int { return syscall.Gettid() }

// threadsMatter says whether this kernel makes a guest wait that changes threads.
var threadsMatter = sync.OnceValue(func() bool {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err != nil || kernelMindsThreads(string(release))
})

func kernelMindsThreads(release string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return true
	}
	return major < 6 || major == 6 && minor < 13
}
