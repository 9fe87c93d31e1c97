package hyperlight

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// object stands in for a native one, which could not tell whether it was freed twice or under a user.
type object struct {
	inUse, freed atomic.Int32
	misuse       atomic.Int32
}

func (o *object) use() {
	if o.inUse.Add(1) != 1 || o.freed.Load() != 0 {
		o.misuse.Add(1)
	}
	runtime.Gosched()
	o.inUse.Add(-1)
}

func (o *object) free() {
	if o.inUse.Load() != 0 || o.freed.Add(1) != 1 {
		o.misuse.Add(1)
	}
}

func newObjectHandle() (*object, *handle[*object]) {
	o := &object{}
	return o, newHandle(o, (*object).free, nil)
}

func TestHandleFreesOnceWhenClosed(t *testing.T) {
	o, h := newObjectHandle()
	h.close()
	h.close()
	assert.EqualValues(t, 1, o.freed.Load())
	require.ErrorIs(t, h.enter(t.Context(), "op"), ErrClosed)
}

func TestHandleIsFreedByItsLastUser(t *testing.T) {
	for name, end := range map[string]func(*handle[*object]){
		"close":   (*handle[*object]).close,
		"consume": (*handle[*object]).consume,
	} {
		t.Run(name, func(t *testing.T) {
			o, h := newObjectHandle()
			require.NoError(t, h.enter(t.Context(), "op"))
			end(h)
			assert.Zero(t, o.freed.Load(), "in use")
			h.leave()
			assert.EqualValues(t, 1, o.freed.Load())
		})
	}
}

func TestHandleConsumedStaysConsumed(t *testing.T) {
	_, h := newObjectHandle()
	require.NoError(t, h.enter(t.Context(), "op"))
	h.consume()
	h.leave()
	h.close()
	require.ErrorIs(t, h.enter(t.Context(), "op"), ErrConsumed)
	assert.Equal(t, StatusConsumed, h.currentStatus())
}

func TestHandleWaiterSeesItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // Its time passes when everybody waits, and not before.
		_, h := newObjectHandle()
		require.NoError(t, h.enter(t.Context(), "op"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorIs(t, h.enter(ctx, "op"), context.DeadlineExceeded)
		h.leave()
		require.NoError(t, h.enter(t.Context(), "op"), "the waiter left no trace")
		h.leave()
	})
}

func TestHandleWaiterSeesClose(t *testing.T) {
	o, h := newObjectHandle()
	require.NoError(t, h.enter(t.Context(), "op"))
	waiter := make(chan error)
	go func() { waiter <- h.enter(context.Background(), "op") }()
	h.close()
	require.ErrorIs(t, <-waiter, ErrClosed)
	assert.Zero(t, o.freed.Load())
	h.leave()
	assert.EqualValues(t, 1, o.freed.Load())
}

// Users, a transition and closes at random: never two users, never a use after the end, one free.
func TestHandleHammer(t *testing.T) {
	for round := range 300 {
		o, h := newObjectHandle()
		var group sync.WaitGroup
		for user := range 8 {
			group.Go(func() {
				for range 20 {
					ctx, cancel := context.WithCancel(t.Context())
					if user%4 == 3 {
						go cancel()
					}
					if h.enter(ctx, "op") == nil {
						o.use()
						if user == 0 && round%2 == 0 && ctx.Err() == nil {
							h.consume()
						}
						h.leave()
					}
					cancel()
				}
			})
		}
		group.Go(h.close)
		group.Go(h.close)
		group.Wait()
		require.Zero(t, o.misuse.Load())
		require.EqualValues(t, 1, o.freed.Load())
	}
}

func TestForgottenHandleIsClosed(t *testing.T) {
	o, h := newObjectHandle()
	func() {
		owner := &LoadedJSSandbox{}
		closeWhenForgotten(owner, h)
		runtime.KeepAlive(owner)
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		return o.freed.Load() == 1
	}, 10*time.Second, time.Millisecond)
	require.ErrorIs(t, h.enter(t.Context(), "op"), ErrClosed)
}

// Cleanups of the whole program run one after the other, and freeing a micro-VM takes milliseconds.
func TestForgottenHandlesHoldUpNobody(t *testing.T) {
	freeing, proceed := make(chan struct{}), make(chan struct{})
	h := newHandle(0, func(int) {
		close(freeing)
		<-proceed
	}, nil)
	func() {
		owner := &LoadedJSSandbox{}
		closeWhenForgotten(owner, h)
		runtime.KeepAlive(owner)
	}()
	awaitCollection(t, freeing)
	defer close(proceed)

	cleaned := make(chan struct{})
	func() {
		other := &LoadedJSSandbox{}
		runtime.AddCleanup(other, func(int) { close(cleaned) }, 0)
		runtime.KeepAlive(other)
	}()
	awaitCollection(t, cleaned)
}

// awaitCollection collects garbage until something has happened.
func awaitCollection(t *testing.T, happened <-chan struct{}) {
	t.Helper()
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-happened:
			return true
		default:
			return false
		}
	}, 10*time.Second, time.Millisecond)
}

func TestReaperRunsEverythingOnce(t *testing.T) {
	var r reaper
	var done sync.WaitGroup
	var count atomic.Int32
	for range 100 {
		done.Add(1)
		go r.close(func() {
			count.Add(1)
			done.Done()
		})
	}
	done.Wait()
	assert.EqualValues(t, 100, count.Load())
}
