package soak_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// usage is what this process holds of everything that can leak. Two of them are compared element by element.
type usage [len(usageNames)]int

var usageNames = [...]string{
	"resident memory, KiB", "native memory in use, KiB", "Go objects", "Go memory in use, KiB", "Go objects of our own",
	"functions in the callback table", "files", "threads", "goroutines", "memory maps",
}

// The places of usage.
const (
	resident = iota
	native
	goObjects
	goMemory
	ownObjects
	callbacks
	openFiles
	threads
	goroutines
	mappings
)

// plainMalloc has glibc keep nothing for later. Otherwise it keeps some 10 MB in each of its arenas, of which there are
// eight for each processor, and takes long to have touched them all; and up to 230 KB that are free in a cache of each
// thread, which it counts as in use. That is no leak, and looks like one.
func plainMalloc(child *exec.Cmd) {
	child.Env = append(child.Env, "MALLOC_ARENA_MAX=1", "MALLOC_MMAP_THRESHOLD_=131072", "GLIBC_TUNABLES=glibc.malloc.tcache_count=0")
}

// smallPages keeps the kernel from making huge pages of this process's memory from now on. It does so when it likes, and
// then 2 MB are resident of which Go has returned nearly all.
func smallPages(t *testing.T) {
	t.Helper()
	require.NoError(t, unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0))
}

// measure has Go and malloc return to the system first what they keep for later.
func measure(t *testing.T) usage {
	t.Helper()
	debug.FreeOSMemory()
	purego.SyscallN(libc("malloc_trim"), 0)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, status, _ = bytes.Cut(status, []byte("VmRSS:"))
	var kib int
	_, err = fmt.Sscan(string(status), &kib)
	require.NoError(t, err)
	mapped, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	return usage{
		resident: kib, native: mallocated() >> 10,
		goObjects: int(memory.HeapObjects), goMemory: int(memory.HeapAlloc >> 10), ownObjects: profiled(),
		callbacks: int(marked.Load()),
		openFiles: entries(t, ownFiles), threads: entries(t, ownThreads),
		goroutines: runtime.NumGoroutine(), mappings: bytes.Count(mapped, []byte("\n")),
	}
}

// settled is the least of some measurements: what was forgotten is freed by and by.
func settled(t *testing.T) usage {
	t.Helper()
	least := measure(t)
	for range 4 {
		time.Sleep(10 * time.Millisecond)
		for i, n := range measure(t) {
			least[i] = min(least[i], n)
		}
	}
	return least
}

// countOwnObjects has Go's memory profile know every object from now on. Without it there are none of our own.
func countOwnObjects() { runtime.MemProfileRate = 1 }

// profiled is how many objects are in use that the package's code, or what that has called, has allocated.
func profiled() (objects int) {
	var records []runtime.MemProfileRecord
	for n, ok := runtime.MemProfile(nil, false); !ok; n, ok = runtime.MemProfile(records, false) {
		records = make([]runtime.MemProfileRecord, n+50)
	}
	for _, record := range records {
		if isOwn(record.Stack()) {
			objects += int(record.InUseObjects())
		}
	}
	return objects
}

// isOwn says whether the package is among those who called. What a goroutine waits with is the runtime's own, which keeps
// it for the next one.
func isOwn(stack []uintptr) (own bool) {
	frames := runtime.CallersFrames(stack)
	for more := len(stack) > 0; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if frame.Function == "runtime.acquireSudog" || frame.Function == "runtime.allocm" {
			return false
		}
		const module = "github.com/hyperlight-go/hyperlight-js/"
		own = own || strings.HasPrefix(frame.Function, module+"hyperlight.") || strings.HasPrefix(frame.Function, module+"capi.")
	}
	return own
}

// mallocated is how many bytes malloc has given away in this process: what the native library's objects take.
func mallocated() int {
	// glibc's struct mallinfo2. A function that returns a struct of this size takes its address first.
	var info struct{ arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost uint64 }
	purego.SyscallN(libc("mallinfo2"), uintptr(unsafe.Pointer(&info)))
	runtime.KeepAlive(&info)
	return int(info.uordblks + info.hblkhd)
}

// libc is the address of a function of glibc, 2.33 or later.
func libc(function string) uintptr {
	address, err := purego.Dlsym(purego.RTLD_DEFAULT, function)
	if err != nil {
		panic(err)
	}
	return address
}

// marked is how many marks are reachable. The functions that guests call are reachable as long as the native side keeps
// their keys: so a mark in a function says whether its entry in the callback table is still there.
var marked atomic.Int64

type mark struct{ _ [4]int }

func newMark() *mark {
	marked.Add(1)
	m := &mark{}
	runtime.AddCleanup(m, func(struct{}) { marked.Add(-1) }, struct{}{})
	return m
}

func (m *mark) keep() { runtime.KeepAlive(m) }

// comesDownTo waits until nothing of what was measured is more than it was before, but for so much of each. What was
// forgotten is freed by and by.
func comesDownTo(t *testing.T, before, slack usage) usage {
	t.Helper()
	var now usage
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		now = measure(t)
		if len(now.above(before, slack)) == 0 {
			return now
		}
		if time.Now().After(end) {
			require.Empty(t, now.above(before, slack), "a minute later there is more of this than before")
		}
	}
}

// above says what has grown, by more than the slack.
func (u usage) above(before, slack usage) []string {
	var grown []string
	for i, name := range usageNames {
		if slack[i] >= 0 && u[i] > before[i]+slack[i] {
			grown = append(grown, fmt.Sprintf("%s: %d, and before %d", name, u[i], before[i]))
		}
	}
	return slices.Clip(grown)
}
