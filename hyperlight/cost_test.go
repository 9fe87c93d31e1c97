package hyperlight_test

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What a warm call allocates: its result, its options, and what the callbacks of the guest find it by. A context that
// may end adds what package context needs to tell of that.
func TestAllocations(t *testing.T) {
	runtime.LockOSThread() // To hand the call to another thread takes more.
	defer runtime.UnlockOSThread()
	loaded := loadHandler(t, `function handler(event) { return event; }`)
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	timely, cancelTimely := context.WithTimeout(context.Background(), time.Hour)
	defer cancelTimely()
	for name, test := range map[string]struct {
		ctx  context.Context
		most float64
	}{
		"no context":             {context.Background(), 3},
		"a context that may end": {cancellable, 6},
		"a deadline":             {timely, 6},
	} {
		event, gc := []byte(`{}`), hyperlight.WithGC(false)
		allocations := testing.AllocsPerRun(100, func() {
			if _, err := loaded.HandleEvent(test.ctx, "handler", event, gc); err != nil {
				t.Error(err)
			}
		})
		assert.LessOrEqual(t, allocations, test.most, name)
	}
}

// Contexts leave nothing behind, whether they end or not: no goroutine, no thread, and what they were made from knows
// nothing of the calls any more.
func TestContextsLeaveNothingBehind(t *testing.T) {
	loaded := loadWith(t, functions{"look": func(ctx context.Context) { _ = ctx.Err() }},
		`function handler(event) { host.look(); while (event.spin) {} return 1; }`)
	snapshot := takeSnapshot(t, loaded)
	parent, cancelParent := context.WithCancel(t.Context())
	defer cancelParent()
	calls := func() {
		for range 50 {
			_, err := loaded.HandleEvent(parent, "handler", []byte(`{}`))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(parent, time.Millisecond)
			_, err = loaded.HandleEvent(ctx, "handler", []byte(`{"spin":true}`))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
			restore(t, loaded, snapshot)
		}
	}
	calls()
	goroutines, before := runtime.NumGoroutine(), threads(t)
	for range 5 {
		calls()
	}
	for end := time.Now().Add(soon); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		runtime.Gosched() // Those that ended contexts may not have ended themselves.
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
	assert.LessOrEqual(t, threads(t), before+2, "Go keeps those that it happened to need at the same time")
}

// threads is how many this process has.
func threads(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(entries)
}
