package hyperlight

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stayOnThread keeps the test on its thread, so that others have others.
func stayOnThread(t *testing.T) {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
}

// onThread runs something on a thread that runs nothing else.
func onThread(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock it, so that the thread ends with the goroutine
		do()
	}()
	<-done
}

// mindThreads has this package take the kernel for one that minds, or does not mind.
func mindThreads(t *testing.T, minds bool) {
	before := threadsMatter
	threadsMatter = func() bool { return minds }
	t.Cleanup(func() { threadsMatter = before })
}

func TestGuestStaysOnItsCallersThread(t *testing.T) {
	mindThreads(t, true)
	stayOnThread(t)
	loaded := loadCounter(t)
	countTo(t, loaded, "1")
	countTo(t, loaded, "2")
	assert.Nil(t, loaded.guest.home.work)
}

// It may move once, from where it was loaded to where it is used. It keeps its own thread when it is unloaded and loaded
// again, and takes it along.
func TestGuestGetsAThreadOfItsOwn(t *testing.T) {
	mindThreads(t, true)
	stayOnThread(t)
	loaded := loadCounter(t)
	onThread(func() {
		countTo(t, loaded, "1")
		countTo(t, loaded, "2")
	})
	assert.Nil(t, loaded.guest.home.work)
	onThread(func() { countTo(t, loaded, "3") })
	work := loaded.guest.home.work
	require.NotNil(t, work)

	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	require.NoError(t, counterTemplate.Add(sandbox))
	reloaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	countTo(t, reloaded, "1")
	assert.Equal(t, work, reloaded.guest.home.work)
	require.NoError(t, reloaded.Close())
	_, open := <-work
	assert.False(t, open, "nothing will be done there any more")
}

// A transition that fails loses the guest, and its thread.
func TestThreadOfALostGuest(t *testing.T) {
	mindThreads(t, true)
	stayOnThread(t)
	loaded := loadCounter(t)
	onThread(func() { countTo(t, loaded, "1") })
	onThread(func() { countTo(t, loaded, "2") })
	work := loaded.guest.home.work
	require.NotNil(t, work)
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("bad", Script("this is no JavaScript")))
	_, err = sandbox.Load(t.Context())
	require.ErrorIs(t, err, ErrJSException)
	_, open := <-work
	assert.False(t, open)
}

// The thread does not keep alive what ran there.
func TestThreadOfAForgottenGuest(t *testing.T) {
	mindThreads(t, true)
	stayOnThread(t)
	work := func() chan func() {
		loaded, err := counterTemplate.Load(t.Context())
		require.NoError(t, err)
		onThread(func() { countTo(t, loaded, "1") })
		onThread(func() { countTo(t, loaded, "2") })
		return loaded.guest.home.work
	}()
	require.NotNil(t, work)
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-work:
			return true
		default:
			return false
		}
	}, time.Minute, time.Millisecond)
}

// Functions that a guest calls from its own thread find out that it waits for them, as on any other.
func TestReentrancyOnAThreadOfItsOwn(t *testing.T) {
	mindThreads(t, true)
	stayOnThread(t)
	var loaded *LoadedJSSandbox
	use := func(ctx context.Context) {
		for _, ctx := range []context.Context{ctx, context.Background()} {
			_, err := loaded.HandleEvent(ctx, "handler", []byte("null"))
			assert.ErrorIs(t, err, ErrReentrant)
		}
	}
	template := Template{
		Register: func(p *ProtoJSSandbox) error { return p.Register("host", "use", use) },
		Add: func(s *JSSandbox) error {
			return s.AddHandler("handler", Script(`
				import { use } from "host";
				let count = 0;
				function handler() { use(); return ++count; }`))
		},
	}
	var err error
	loaded, err = template.Load(t.Context())
	require.NoError(t, err)
	defer loaded.Close()
	onThread(func() { countTo(t, loaded, "1") })
	onThread(func() { countTo(t, loaded, "2") })
	require.NotNil(t, loaded.guest.home.work)
}

func TestGuestOnAKernelThatDoesNotMind(t *testing.T) {
	mindThreads(t, false)
	loaded := loadCounter(t)
	onThread(func() { countTo(t, loaded, "1") })
	onThread(func() { countTo(t, loaded, "2") })
	assert.Nil(t, loaded.guest.home.work)
}

func TestCallsFromManyThreads(t *testing.T) {
	mindThreads(t, true)
	loaded := loadCounter(t)
	const threads, calls = 4, 50
	var group sync.WaitGroup
	for range threads {
		group.Go(func() {
			for range calls {
				onThread(func() {
					_, err := loaded.HandleEvent(t.Context(), "handler", []byte("null"), WithGC(false))
					assert.NoError(t, err)
				})
			}
		})
	}
	group.Wait()
	countTo(t, loaded, "201")
}

func TestKernelsThatMindThreads(t *testing.T) {
	for release, minds := range map[string]bool{
		"6.1.0-56-cloud-amd64\n":        true,
		"5.14.0-503.el9.x86_64\n":       true,
		"6.8.0-1021-azure\n":            true,
		"6.12.9\n":                      true,
		"6.13.0\n":                      false,
		"6.13-rc1\n":                    false,
		"6.17.0-1008-aws\n":             false,
		"7.0.0\n":                       false,
		"10.2\n":                        false,
		"what is this, version 6.13?\n": true,
		"":                              true,
	} {
		assert.Equal(t, minds, kernelMindsThreads(release), release)
	}
}

// A guest that stays on a thread pays nothing for it that has to be collected.
func TestAllocationsOnTheCallersThread(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, minds := range []bool{false, true} {
		mindThreads(t, minds)
		loaded := loadCounter(t)
		ctx, event, gc := context.Background(), []byte("null"), WithGC(false)
		assert.LessOrEqual(t, testing.AllocsPerRun(50, func() {
			_, _ = loaded.HandleEvent(ctx, "handler", event, gc)
		}), 3.0, "a call, threads matter: %v", minds)
		events := [][]byte{event}
		assert.LessOrEqual(t, testing.AllocsPerRun(50, func() {
			_, _ = loaded.HandleEvents(ctx, "handler", events, gc)
		}), 8.0, "a batch, threads matter: %v", minds)
		assert.Nil(t, loaded.guest.home.work)
	}
}
