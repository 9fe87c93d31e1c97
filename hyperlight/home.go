package hyperlight

import (
	"runtime"
	"sync/atomic"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// home is where a guest runs: on whatever thread its caller happens to be, as long as that is always the same; and
// otherwise on a thread of its own.
//
// Before Linux 6.13, KVM waits for an RCU grace period, 12 ms and more, each time a virtual processor runs on
// another thread than the last time (synchronize_rcu in kvm_vcpu_ioctl), while a call takes tens of
// microseconds. Goroutines change threads all the time, and sandboxes that are shared change goroutines. To hand
// a call to another thread and back costs some 11,000 instructions.
//
// Only the user of a sandbox uses its guest's home, so there is one at a time.
type home struct {
	handles atomic.Int64 // of sandboxes that are in this micro-VM; the last one takes the thread along
	last    int          // the thread on which the guest ran last; 0 if on none
	moved   bool         // from where it was booted to where it is used: once is usual
	work    chan func()  // to the guest's own thread; nil if it has none
	done    chan struct{}
}

// run runs what enters the guest. Where every allocation counts, callers ask isHere themselves: enter is one.
func run[T any](h *home, enter func() (T, *capi.Error)) (T, *capi.Error) {
	if h.isHere() {
		return enter()
	}
	return runThere(h, enter)
}

// isHere says whether the guest may run on this thread.
func (h *home) isHere() bool {
	if !threadsMatter() {
		return true
	}
	if h.work != nil {
		return false
	}
	thread := currentThread()
	if thread != h.last {
		if h.moved {
			return false
		}
		h.moved = h.last != 0
		h.last = thread
	}
	return true
}

// runThere runs what enters the guest on the guest's own thread.
func runThere[T any](h *home, enter func() (T, *capi.Error)) (result T, err *capi.Error) {
	if h.work == nil {
		h.work, h.done = make(chan func()), make(chan struct{})
		go runAtHome(h.work, h.done)
	}
	h.work <- func() { result, err = enter() }
	<-h.done
	return result, err
}

// runAtHome runs a guest on a thread of its own, which ends with it.
func runAtHome(work <-chan func(), done chan<- struct{}) {
	runtime.LockOSThread()
	for call := range work {
		call()
		done <- struct{}{}
	}
}

// newGuestHandle makes a handle of a guest's sandbox.
func newGuestHandle[T any](native T, free func(T), g *guest) *handle[T] {
	g.home.enter()
	return newHandle(native, func(native T) {
		free(native)
		g.home.leave()
	}, g)
}

// enter and leave count the handles. After the last leave nothing runs any more.
func (h *home) enter() { h.handles.Add(1) }

func (h *home) leave() {
	if h.handles.Add(-1) == 0 && h.work != nil {
		close(h.work)
	}
}
