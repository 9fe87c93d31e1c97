package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// hammered counts its calls, and does what the event says.
const hammered = `
	let count = 0;
	const kinds = {
		short() {},
		endless() { for (;;) {} },
		allocating() { let all = []; for (let i = 0; i < 300; i++) all.push({ i }); },
		waiting() { try { host.wait(); } catch {} },
		"reading the context": () => host.look(),
		printing() { console.log("here"); },
	};
	function handler(kind) { count++; kinds[kind](); return count; }`

var hammeredKinds = []string{"short", "endless", "allocating", "waiting", "reading the context", "printing"}

// 10,000 contexts end at random instants, from before their call to after it. None of them is lost: what never ends
// is stopped. And none reaches another call: after each comes one that must succeed, and whose answer tells whether
// the one before ran.
func TestTenThousandCancellations(t *testing.T) {
	const sandboxes = 4
	cancellations := 10_000
	if raceEnabled {
		cancellations /= 4 // It takes four times as long.
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	var ended [3]atomic.Int64
	began := time.Now()
	var group sync.WaitGroup
	for i := range sandboxes {
		h := newHammer(t, rand.New(rand.NewPCG(seed, uint64(i))))
		group.Go(func() {
			for range cancellations / sandboxes {
				where, err := h.cancelOne(t.Context())
				if !assert.NoError(t, err) {
					return
				}
				ended[where].Add(1)
			}
		})
	}
	group.Wait()
	counts := []int64{ended[beforeCall].Load(), ended[duringCall].Load(), ended[afterCall].Load()}
	t.Logf("%d before, during and after the call, in %v", counts, time.Since(began))
	for _, count := range counts {
		assert.Greater(t, count, int64(cancellations/50))
	}
}

// instant is where in a call its context ended.
type instant int

const (
	beforeCall instant = iota
	duringCall
	afterCall
)

type hammer struct {
	loaded   *hyperlight.LoadedJSSandbox
	snapshot *hyperlight.Snapshot
	random   *rand.Rand
	length   time.Duration // of a short call
	count    int           // of calls that the guest knows of
}

func newHammer(t *testing.T, random *rand.Rand) *hammer {
	t.Helper()
	h := &hammer{random: random}
	h.loaded = loadWith(t, functions{
		"wait": func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(h.length):
			}
			return ctx.Err()
		},
		"look": func(ctx context.Context) bool { return ctx.Err() != nil },
	}, hammered, hyperlight.WithUpstreamDefaults(), hyperlight.WithPrintFunc(func(string) {}))
	h.snapshot = takeSnapshot(t, h.loaded)
	began := time.Now()
	const calls = 10
	for range calls {
		require.NoError(t, h.succeed(t.Context(), 1))
	}
	h.length = time.Since(began) / calls
	return h
}

// cancelOne makes a call whose context ends at a random instant, and then a good one.
func (h *hammer) cancelOne(parent context.Context) (instant, error) {
	kind := hammeredKinds[h.random.IntN(len(hammeredKinds))]
	ctx, cancel := h.context(parent)
	defer cancel()
	result, err := h.loaded.HandleEvent(ctx, "handler", fmt.Appendf(nil, "%q", kind), hyperlight.WithGC(false))
	switch {
	case err == nil:
		if want := fmt.Sprint(h.count + 1); string(result) != want || kind == "endless" {
			return 0, fmt.Errorf("%s returned %s instead of %s", kind, result, want)
		}
		return afterCall, h.succeed(parent, 2)
	case !errors.Is(err, ctx.Err()) || ctx.Err() == nil:
		return 0, fmt.Errorf("%s: %w", kind, err)
	case errors.Is(err, hyperlight.ErrCancelled):
		if status := h.loaded.Status(); !status.IsPoisoned() {
			return 0, fmt.Errorf("%s was stopped, and its sandbox is %v", kind, status)
		}
		if err := h.loaded.Restore(parent, h.snapshot); err != nil {
			return 0, err
		}
		h.count = 0
		return duringCall, h.succeed(parent, 1)
	default:
		return beforeCall, h.succeed(parent, 1)
	}
}

// context makes one that ends up to half a call after a short call would, in one of several ways.
func (h *hammer) context(parent context.Context) (context.Context, func()) {
	delay := time.Duration(h.random.Int64N(int64(3 * h.length / 2)))
	switch h.random.IntN(4) {
	case 0:
		return context.WithTimeout(parent, delay)
	case 1:
		return context.WithDeadline(parent, time.Now().Add(delay))
	case 2: // As exactly as can be; a timer is late.
		ctx, cancel := context.WithCancel(parent)
		go func() {
			for end := time.Now().Add(delay); time.Now().Before(end); {
				runtime.Gosched()
			}
			cancel()
		}()
		return ctx, cancel
	default:
		ctx, cancel := context.WithCancelCause(parent)
		timer := time.AfterFunc(delay, func() { cancel(errReason) })
		return ctx, func() { timer.Stop(); cancel(nil) }
	}
}

// succeed makes a good call, after which the guest has counted that many more.
func (h *hammer) succeed(ctx context.Context, more int) error {
	h.count += more
	result, err := h.loaded.HandleEvent(ctx, "handler", []byte(`"short"`), hyperlight.WithGC(false))
	if err == nil && string(result) != fmt.Sprint(h.count) {
		err = fmt.Errorf("the good call returned %s instead of %d", result, h.count)
	}
	return err
}

// The same for Load, whose sandbox is left alone by a context that ended before, and lost to one that ended meanwhile.
func TestCancelledLoads(t *testing.T) {
	const loads = 80
	add := func(sandbox *hyperlight.JSSandbox, source string) *hyperlight.JSSandbox {
		require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
		return sandbox
	}
	var length time.Duration
	sandbox := newSandbox(t, hyperlight.WithUpstreamDefaults())
	var ended [3]int
	for i := range loads {
		source := counter
		if i%4 == 0 {
			source = "for (;;) {} " + source
		}
		add(sandbox, source)
		delay := rand.N(2*length + 1)
		if i%8 == 1 {
			delay = 0
		}
		ctx, cancel := context.WithTimeout(t.Context(), delay)
		began := time.Now()
		loaded, err := sandbox.Load(ctx)
		cancel()
		switch {
		case err == nil:
			ended[afterCall]++
		case errors.Is(err, hyperlight.ErrCancelled):
			stoppedBy(t, ctx, err)
			require.Equal(t, hyperlight.StatusConsumed, sandbox.Status())
			sandbox = newSandbox(t, hyperlight.WithUpstreamDefaults())
			ended[duringCall]++
		default:
			require.ErrorIs(t, err, context.DeadlineExceeded)
			ended[beforeCall]++
		}
		if err != nil { // The next one is good.
			require.NoError(t, sandbox.ClearHandlers())
			began = time.Now()
			loaded = load(t, add(sandbox, counter))
		}
		length = time.Since(began)
		assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
		sandbox, err = loaded.Unload(t.Context())
		require.NoError(t, err)
		closeWith(t, sandbox)
	}
	t.Logf("%d before, during and after the load", ended)
	assert.NotContains(t, ended, 0)
}
