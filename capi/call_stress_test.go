//go:build linux && amd64

package capi

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each of these calls fails, and its message tells whether C saw what Go passed.

func checkedAddHandler(name, script string) error {
	text := name + "\x00"
	err := SandboxAddHandler(Sandbox{}, text, script, "")
	return expect(err, "the handler name contains a NUL byte at offset %d", len(name))
}

func checkedScript(name, script string) error {
	text := script + "\x00"
	err := SandboxAddHandler(Sandbox{}, name, text, "")
	return expect(err, "the script contains a NUL byte at offset %d", len(script))
}

func checkedEvent(name string, event []byte) error {
	text := append(bytes.Clone(event), 0xff)
	err := discard(LoadedSandboxHandleEvent(LoadedSandbox{}, name, text, true, nil, Context{}, nil))
	return expect(err, "the event is not UTF-8: invalid byte at offset %d", len(event))
}

func checkedMonitors() error {
	monitor, err := MonitorNewWallClock(1)
	if err != nil {
		return err
	}
	defer MonitorFree(monitor)
	list := make([]Monitor, rand.IntN(5)+1)
	for i := range list[1:] {
		list[i] = monitor
	}
	last := len(list) - 1 // It is NULL.
	err = discard(LoadedSandboxHandleEvent(LoadedSandbox{}, "name", nil, true, list, Context{}, nil))
	return expect(err, "monitors[%d] is NULL", last)
}

func checkedSize() error {
	size := rand.Uint64N(4 << 20)
	err := BuilderSetHeapSize(Builder{}, size)
	return expect(err, "builder is NULL")
}

func checkedPrint() error {
	err := BuilderSetPrint(Builder{}, func(string) {})
	return expect(err, "builder is NULL")
}

func checkedBuilder() error {
	builder, err := BuilderNew()
	if err != nil {
		return err
	}
	defer BuilderFree(builder)
	want := upstreamDefaults
	want.HeapSize += rand.Uint64N(1 << 40)
	want.InterruptRetryDelay = rand.Uint64()
	if err := BuilderSetHeapSize(builder, want.HeapSize); err != nil {
		return err
	}
	if err := BuilderSetInterruptRetryDelay(builder, want.InterruptRetryDelay); err != nil {
		return err
	}
	config, err := BuilderGetConfig(builder)
	if err != nil {
		return err
	}
	if config != want {
		return fmt.Errorf("%+v is not %+v", config, want)
	}
	tooSmall := rand.Uint64N(8 << 10)
	err = BuilderSetInputBufferSize(builder, tooSmall)
	return expect(err, "input buffer size is %d bytes, below the minimum of 8192", tooSmall)
}

func expect(err *Error, format string, args ...any) error {
	if message := fmt.Sprintf(format, args...); err == nil || err.Message != message {
		return fmt.Errorf("%v instead of: %s", err, message)
	}
	return nil
}

// allChecked makes one of each of the calls above, with text of a random length on the heap.
func allChecked() error {
	text := strings.Repeat("ab", rand.IntN(1<<10)+1)
	event := bytes.Repeat([]byte("{}"), rand.IntN(1<<10)+1)
	for _, err := range []error{
		checkedAddHandler(text, text), checkedScript(text, text), checkedEvent(text, event),
		checkedMonitors(), checkedSize(), checkedPrint(), checkedBuilder(),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func hammer(t *testing.T, goroutines, rounds int, work func() error) {
	t.Helper()
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for range rounds {
				if err := work(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
}

func TestConcurrentCalls(t *testing.T) {
	loadLibrary(t)
	before := functions.len()
	hammer(t, 32, 200, allChecked)
	assert.Equal(t, before, functions.len())
}

// For C, an argument is an address: all that keeps the memory there is the frame.
func TestAFrameKeepsWhatItPointsTo(t *testing.T) {
	f := newFrame()
	freed := make(chan struct{})
	func() {
		memory := new([1 << 10]byte)
		runtime.AddCleanup(memory, func(int) { close(freed) }, 0)
		f.bytes(memory[:])
	}()
	for range 5 {
		runtime.GC()
		select {
		case <-freed:
			require.FailNow(t, "the memory of an argument was collected before the call was over")
		case <-time.After(10 * time.Millisecond):
		}
	}
	f.done()
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-freed:
			return true
		default:
			return false
		}
	}, 10*time.Second, time.Millisecond)
}

// A collector that always runs frees at once what a call does not keep alive, and reuses it.
func TestCallsInAGCStorm(t *testing.T) {
	loadLibrary(t)
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	hammer(t, 4, 100, func() error {
		// A new goroutine has a small stack, which callbacks make Go move.
		results := make(chan error)
		for range 5 {
			go func() { results <- allChecked() }()
		}
		var err error
		for range 5 {
			if result := <-results; result != nil {
				err = result
			}
		}
		return err
	})
	close(stop)
	<-stopped
}

// One object serves one call at a time, and says so.
func TestBuilderUsedFromTwoGoroutines(t *testing.T) {
	builder := newBuilder(t)
	busy := Error{Code: CodeBusy, Message: "the builder is in use by another call"}
	hammer(t, 2, 2000, func() error {
		err := BuilderSetInterruptSignalOffset(builder, 1)
		config, failure := BuilderGetConfig(builder)
		if failure == nil && config.HeapSize != upstreamDefaults.HeapSize {
			return fmt.Errorf("the heap has %d bytes", config.HeapSize)
		}
		for _, err := range []*Error{err, failure} {
			if err != nil && *err != busy {
				return err
			}
		}
		return nil
	})
	requireOK(t, BuilderSetHeapSize(builder, 8<<20))
	assert.EqualValues(t, 8<<20, readConfig(t, builder).HeapSize)
}

// An error that is not freed costs some 150 bytes, so a leak would be 6 MB here.
func TestErrorsDoNotLeak(t *testing.T) {
	loadLibrary(t)
	const limit = 1 << 20 // What malloc keeps at hand for each thread counts as in use.
	fail := func() {
		for range 10_000 {
			for _, err := range []error{checkedAddHandler("name", ""), checkedEvent("name", nil), checkedPrint(), checkedBuilder()} {
				require.NoError(t, err)
			}
		}
	}
	fail() // Whatever is made once is there now.
	before := mallocBytes(t)
	fail()
	assert.Less(t, mallocBytes(t)-before, limit)
}

// mallocBytes is how much C and Rust have allocated. The memory of the whole process would tell less: Go's
// share of it, and the race detector's, comes and goes.
func mallocBytes(t *testing.T) int {
	t.Helper()
	mallinfo2, err := purego.Dlsym(purego.RTLD_DEFAULT, "mallinfo2")
	require.NoError(t, err)
	// struct mallinfo2 of malloc.h. A struct of this size is returned through a pointer that comes first.
	info := new(struct {
		arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost uintptr
	})
	purego.SyscallN(mallinfo2, uintptr(unsafe.Pointer(info)))
	return int(info.uordblks + info.hblkhd)
}

func TestACallAllocatesNothing(t *testing.T) {
	if raceEnabled {
		return // The race detector makes sync.Pool forget at random.
	}
	builder := newBuilder(t)
	allocations := testing.AllocsPerRun(1000, func() {
		if BuilderSetHeapSize(builder, 8<<20) != nil {
			panic("it failed")
		}
	})
	assert.Zero(t, allocations)
}

func BenchmarkCall(b *testing.B) {
	builder := newBuilder(b)
	b.ReportAllocs()
	for b.Loop() {
		_ = BuilderSetHeapSize(builder, 8<<20)
	}
}
