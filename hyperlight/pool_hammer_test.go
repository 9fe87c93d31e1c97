package hyperlight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// poolHammer uses a pool in all ways at once, and checks what holds at any time: who has a sandbox has it alone, with
// the code of its tenant, not older than when it was forgotten, and with nothing that another one left.
type poolHammer struct {
	*testing.T
	pool     *Pool
	policy   RestorePolicy
	versions [4]atomic.Int64 // of each tenant's code
	oldest   [4]atomic.Int64 // what may be seen by who comes now
	marks    atomic.Int64
	taken    sync.Map // the members that leases have
	done     atomic.Int64
}

// marking is code that tells whose it is, and what it finds.
func marking(owner string, version int64) JSScript {
	return Script(fmt.Sprintf(`
		let count = 0;
		function handler(event) {
			const found = { owner: %q, version: %d, count: ++count, mark: globalThis.mark ?? "", proto: ({}).mark ?? "" };
			globalThis.mark = Object.prototype.mark = event.mark;
			if (event.fail) throw new Error("told to");
			if (event.abort) { function f(n) { return f(n + 1) + 1; } return f(0); }
			while (event.loop) ;
			return JSON.stringify(found);
		}`, owner, version))
}

type found struct {
	Owner       string
	Version     int64
	Count       int
	Mark, Proto string
}

func TestPoolHammer(t *testing.T) {
	for _, policy := range []RestorePolicy{RestoreAfterCall, RestoreAfterError, KeepState} {
		t.Run(policy.String(), func(t *testing.T) {
			h := &poolHammer{T: t, policy: policy}
			template := Template{
				Options: []Option{WithUpstreamDefaults()},
				Add:     func(s *JSSandbox) error { return s.AddHandler("handler", marking("nobody", 0)) },
			}
			var err error
			h.pool, err = NewPool(t.Context(), template, PoolSize(3), PoolPolicy(policy), PoolQueue(6),
				PoolTenants(h.source, TenantLimits{Tenants: 2, Retry: time.Millisecond}))
			require.NoError(t, err)
			h.run()
			h.settled()
			require.NoError(t, h.pool.Close(t.Context()))
			h.empty()
		})
	}
}

var errHammer = errors.New("told to fail")

// source fails in all ways now and then.
func (h *poolHammer) source(_ context.Context, key string, s *JSSandbox) error {
	version := h.versions[key[0]-'0'].Load()
	switch rand.N(24) {
	case 0:
		return errHammer
	case 1:
		panic(errHammer)
	case 2:
		return s.AddHandler("handler", Script("throw new Error('told to')"))
	case 3:
		return nil
	}
	return s.AddHandler("handler", marking(key, version))
}

func (h *poolHammer) run() {
	var users, watcher sync.WaitGroup
	over := make(chan struct{})
	watcher.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Millisecond):
				h.watch()
			}
		}
	})
	for range 10 {
		users.Go(func() {
			for range 10 {
				h.step()
			}
		})
	}
	users.Wait()
	close(over)
	watcher.Wait()
	assert.Greater(h, h.done.Load(), int64(10), "it gets something done")
}

// watch checks what can be seen at any time.
func (h *poolHammer) watch() {
	s := h.pool.Stats()
	assert.Equal(h, s.Size, s.Idle+s.InUse+s.Restoring+s.Booting, "%+v", s)
	for _, number := range []int{s.Idle, s.InUse, s.Restoring, s.Booting, s.Waiting} {
		assert.GreaterOrEqual(h, number, 0, "%+v", s)
	}
	assert.LessOrEqual(h, s.Waiting, 6+s.Size, "%+v", s)
	assert.LessOrEqual(h, s.Tenants, 2, "%+v", s)
}

func (h *poolHammer) step() {
	defer func() {
		if value := recover(); value != nil {
			assert.Equal(h, errHammer, value) // The source's.
		}
	}()
	tenant := rand.IntN(len(h.versions))
	if rand.N(15) == 0 {
		version := h.versions[tenant].Add(1)
		h.pool.Forget(fmt.Sprint(tenant))
		for old := h.oldest[tenant].Load(); old < version && !h.oldest[tenant].CompareAndSwap(old, version); {
			old = h.oldest[tenant].Load()
		}
	}
	patience := time.Minute
	if rand.N(4) == 0 {
		patience = rand.N(100 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	owner, oldest := "nobody", int64(0)
	var lease *Lease
	var err error
	if rand.N(4) == 0 {
		lease, err = h.pool.Acquire(ctx)
	} else {
		owner, oldest = fmt.Sprint(tenant), h.oldest[tenant].Load()
		lease, err = h.pool.AcquireTenant(ctx, owner)
	}
	if err != nil {
		h.expected(err)
		return
	}
	defer lease.Release()
	m := lease.held.native
	_, others := h.taken.LoadOrStore(m, lease)
	assert.False(h, others, "a sandbox has two users")
	defer h.taken.Delete(m)
	own := ""
	for call := range rand.N(4) {
		mark := fmt.Sprint(owner, "#", h.marks.Add(1))
		event, endless := h.event(mark)
		patience := time.Minute
		if endless {
			patience = time.Second / 20
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		result, err := lease.HandleEvent(limited, "handler", event, WithGC(false))
		cancel()
		if err != nil {
			h.expected(err)
			return
		}
		h.check(result, call, owner, oldest, own)
		own = mark
	}
	if rand.N(60) == 0 {
		_ = m.loaded.Close() // Nothing recovers it.
	}
}

// event is what makes a guest fail now and then, or never end.
func (h *poolHammer) event(mark string) (event []byte, endless bool) {
	extra := ""
	switch rand.N(16) {
	case 0:
		extra = `,"fail":true`
	case 1:
		extra = `,"abort":true`
	case 2:
		if endless = rand.N(4) == 0; endless {
			extra = `,"loop":true`
		}
	}
	return fmt.Appendf(nil, `{"mark":%q%s}`, mark, extra), endless
}

// check is whether what a guest has found is what it should.
func (h *poolHammer) check(result []byte, call int, owner string, oldest int64, own string) {
	var text string
	var f found
	if !assert.NoError(h, json.Unmarshal(result, &text)) || !assert.NoError(h, json.Unmarshal([]byte(text), &f)) {
		return
	}
	h.done.Add(1)
	assert.Equal(h, owner, f.Owner)
	assert.GreaterOrEqual(h, f.Version, oldest, "code of tenant %s that was forgotten", owner)
	assert.Equal(h, f.Mark, f.Proto)
	switch {
	case call > 0:
		assert.Equal(h, own, f.Mark)
	case h.policy == RestoreAfterCall:
		assert.Equal(h, found{Owner: owner, Version: f.Version, Count: 1}, f)
	case f.Mark != "":
		assert.True(h, strings.HasPrefix(f.Mark, owner+"#"), "tenant %s sees %s", owner, f.Mark)
	}
}

// expected is how things may end here.
func (h *poolHammer) expected(err error) {
	for _, known := range []error{
		context.DeadlineExceeded, errHammer, ErrNoHandlers, ErrJSException, ErrOutOfMemory, ErrPoolFull, ErrCancelled,
	} {
		if errors.Is(err, known) {
			return
		}
	}
	assert.NoError(h, err)
}

// settled checks the books once all is quiet.
func (h *poolHammer) settled() {
	require.Eventually(h, func() bool {
		s := h.pool.Stats()
		p := h.pool.core
		p.mu.Lock()
		defer p.mu.Unlock()
		return s.Idle == s.Size && p.idle.dirty() == 0 && p.cleaners == 0
	}, time.Minute, time.Millisecond)
	p := h.pool.core
	p.mu.Lock()
	defer p.mu.Unlock()
	assert.Empty(h, p.queue)
	assert.Empty(h, p.flights)
	assert.Empty(h, p.garbage)
	assert.Zero(h, p.waiting+p.cleaning+p.booting+p.freeing)
	holders := map[*image]int{}
	idle := map[*member]bool{}
	for _, m := range p.idle {
		idle[m] = true
		assert.Contains(h, p.members, m)
		assert.False(h, m.image.forgotten.Load())
		if m.image.tenant {
			holders[m.image]++
		}
	}
	assert.Len(h, idle, p.size, "each is there once")
	var bytes int64
	var tenants int
	for e := p.images.recent.Front(); e != nil; e = e.Next() {
		cached := e.Value.(*image)
		assert.Same(h, cached, p.images.known[cached.key])
		holders[cached]++
		bytes += cached.bytes
		if cached.failure == nil {
			tenants++
		}
	}
	assert.Equal(h, bytes, p.images.bytes)
	assert.Equal(h, tenants, p.images.tenants)
	for held, count := range holders {
		assert.Equal(h, count, held.holders, "tenant %s", held.key)
		if held.failure == nil {
			assert.Positive(h, held.snapshot.Size(), "the snapshot of tenant %s is closed", held.key)
		}
	}
	for key, known := range p.images.known {
		assert.Contains(h, holders, known, "tenant %s", key)
	}
	h.Logf("%d calls, %+v", h.done.Load(), p.stats)
}

// empty checks that a closed pool holds nothing.
func (h *poolHammer) empty() {
	p := h.pool.core
	p.mu.Lock()
	defer p.mu.Unlock()
	assert.Empty(h, p.members)
	assert.Empty(h, p.images.known)
	assert.Zero(h, p.images.recent.Len()+p.images.tenants)
	assert.Zero(h, p.images.bytes)
}
