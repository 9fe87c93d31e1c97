package hyperlight_test

import (
	"iter"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What coroutines must not do, goroutines may: keep their thread, and use an iterator of others.
func TestHostGoroutines(t *testing.T) {
	next, stop := iter.Pull(slices.Values([]int{3, 5}))
	defer stop()
	loaded := loadWith(t, functions{
		"lock": func() { runtime.LockOSThread() },
		"next": func() int { value, _ := next(); return value },
		"exit": runtime.Goexit,
		"fail": func() { panic("no") },
	}, `function handler() {
		host.lock();
		let failed = 0;
		for (const f of [host.exit, host.fail]) { try { f(); } catch { failed++; } }
		return [host.next(), host.next(), failed];
	}`, hyperlight.WithHostGoroutines())
	assert.Equal(t, `[3,5,2]`, call(t, loaded, `{}`))
	assert.Equal(t, `[0,0,2]`, call(t, loaded, `{}`))
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// A host function may give way, block, and be moved from its thread's run queue and back, on either kind of goroutine.
func TestHostFunctionsThatBlock(t *testing.T) {
	for name, options := range map[string][]hyperlight.Option{
		"coroutines": nil,
		"goroutines": {hyperlight.WithHostGoroutines()},
	} {
		t.Run(name, func(t *testing.T) {
			values := make(chan int)
			loaded := loadWith(t, functions{"receive": func() int {
				go func() { values <- 7 }()
				runtime.Gosched()
				time.Sleep(time.Millisecond)
				runtime.GC()
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				return <-values
			}}, `function handler() { return host.receive() + host.receive(); }`, options...)
			for range 5 {
				assert.Equal(t, `14`, call(t, loaded, `{}`))
			}
		})
	}
}
