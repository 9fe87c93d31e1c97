package hyperlight

import (
	"runtime"
	"sync/atomic"
	"time"
)

// timeslice yields the processor now and then, on behalf of goroutines that never do.
//
// Once a goroutine has not yielded for 10 ms, Go's monitor takes the processor away during each of its
// native calls that lasts more than some 20 µs, and the return from each call pays for getting one
// back: nine thread switches and a quarter of a call's time in a loop that does nothing but call.
// A yield before the 10 ms are over costs next to nothing and avoids that.
type timeslice struct{ began atomic.Int64 }

const longestTimeslice = 5 * time.Millisecond

var processStart = time.Now()

func (t *timeslice) yieldIfLong() {
	now := int64(time.Since(processStart))
	if now-t.began.Load() >= int64(longestTimeslice) {
		t.began.Store(now)
		runtime.Gosched()
	}
}
