package hyperlight

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// moody is a context that panics when it is asked the nth time, whatever it is asked.
type moody struct {
	context.Context
	left int
}

func (m *moody) ask() {
	if m.left--; m.left == 0 {
		panic("moody")
	}
}

func (m *moody) Done() <-chan struct{} { m.ask(); return m.Context.Done() }
func (m *moody) Err() error            { m.ask(); return m.Context.Err() }
func (m *moody) Value(key any) any     { m.ask(); return m.Context.Value(key) }

// counted is a Monitor that knows how many of it are open.
type counted struct {
	Monitor
	now int
}

func (c *counted) open(op string) (capi.Monitor, error) { c.now++; return c.Monitor.open(op) }
func (c *counted) close(native capi.Monitor)            { c.now--; c.Monitor.close(native) }

// A context that panics does so in its caller's face, and leaves nothing behind: no monitor, no turn that never ends, no
// call that callbacks take for running, and nothing that stops a later call.
func TestContextsThatPanic(t *testing.T) {
	loaded := loadCounter(t)
	monitor := &counted{Monitor: WallClock(1 << 40)}
	sandbox := func() *JSSandbox {
		sandbox, err := loaded.Unload(context.Background())
		require.NoError(t, err)
		require.NoError(t, counterTemplate.Add(sandbox))
		return sandbox
	}
	reload := func(ctx context.Context, sandbox *JSSandbox) {
		again, err := sandbox.Load(ctx)
		require.NoError(t, err)
		loaded = again
		t.Cleanup(func() { require.NoError(t, again.Close()) })
	}
	for name, use := range map[string]func(context.Context){
		"HandleEvent": func(ctx context.Context) {
			_, err := loaded.HandleEvent(ctx, "handler", []byte("{}"), WithMonitors(monitor))
			require.NoError(t, err)
		},
		"HandleEvents": func(ctx context.Context) {
			_, err := loaded.HandleEvents(ctx, "handler", [][]byte{[]byte("{}")}, WithMonitors(monitor))
			require.NoError(t, err)
		},
		"waiting": func(ctx context.Context) {
			require.NoError(t, loaded.h.enter(context.Background(), "op"))
			left := make(chan struct{})
			go func() {
				defer close(left)
				loaded.h.leave()
			}()
			defer func() { <-left }()
			require.NoError(t, loaded.h.wait(ctx, "op"))
			loaded.h.leave()
		},
	} {
		t.Run(name, func(t *testing.T) {
			panics := 0
			for asked, panicked := 1, true; panicked; asked++ {
				ctx, cancel := context.WithCancel(context.Background())
				panicked = panicsIn(func() { use(&moody{ctx, asked}) })
				cancel()
				if panicked {
					panics++
				}
				assert.Zero(t, monitor.now)
				assert.Nil(t, loaded.guest.call.Load())
				require.Empty(t, loaded.h.queue, "the turn is over")
				_, err := loaded.HandleEvent(context.Background(), "handler", []byte("{}"))
				require.NoError(t, err)
			}
			assert.Positive(t, panics)
		})
	}
	t.Run("Load", func(t *testing.T) {
		for asked, panicked := 1, true; panicked; asked++ {
			ctx, cancel := context.WithCancel(context.Background())
			unloaded := sandbox()
			panicked = panicsIn(func() { reload(&moody{ctx, asked}, unloaded) })
			cancel()
			if !panicked {
				break
			}
			assert.Nil(t, unloaded.guest.call.Load())
			require.Empty(t, unloaded.h.queue)
			if unloaded.Status() == StatusReady { // It panicked before anything was loaded.
				reload(context.Background(), unloaded)
				continue
			}
			loaded = loadCounter(t)
		}
	})
}

func panicsIn(do func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	do()
	return false
}
