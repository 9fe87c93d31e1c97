package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// countsFor adds a counter whose result says whose it is.
func countsFor(_ context.Context, key string, s *hyperlight.JSSandbox) error {
	return s.AddHandler("handler", hyperlight.Script(fmt.Sprintf(`
		let count = 0;
		function handler(event) {
			if (event?.abort) { function f(n) { return f(n + 1) + 1; } return f(0); }
			return %q + ++count;
		}`, key)))
}

// sources is a TenantSource that counts how often it was asked for each tenant.
type sources struct {
	mu     sync.Mutex
	counts map[string]int
	next   hyperlight.TenantSource
}

func newSources(next hyperlight.TenantSource) *sources {
	return &sources{counts: map[string]int{}, next: next}
}

func (s *sources) add(ctx context.Context, key string, sandbox *hyperlight.JSSandbox) error {
	s.mu.Lock()
	s.counts[key]++
	s.mu.Unlock()
	return s.next(ctx, key, sandbox)
}

func (s *sources) asked(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[key]
}

func tenantPool(t *testing.T, source hyperlight.TenantSource, limits hyperlight.TenantLimits, opts ...hyperlight.PoolOption) *hyperlight.Pool {
	t.Helper()
	template := hyperlight.Template{Options: []hyperlight.Option{hyperlight.WithUpstreamDefaults()}}
	return newPool(t, template, append(opts, hyperlight.PoolTenants(source, limits))...)
}

func TestTenants(t *testing.T) {
	source := newSources(countsFor)
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{}, hyperlight.PoolSize(2))
	for range 3 {
		for _, key := range []string{"a", "b", "", "a", "ä\x00"} {
			assert.Equal(t, fmt.Sprintf("%q", key+"1"), fmt.Sprintf("%q", unquote(tenantCall(t, pool, key, "null"))))
			assert.Equal(t, 1, source.asked(key))
		}
	}
	stats := pool.Stats()
	assert.EqualValues(t, 4, stats.TenantMisses)
	assert.EqualValues(t, 11, stats.TenantHits)
	assert.Equal(t, 4, stats.Tenants)
	assert.Greater(t, stats.TenantBytes, int64(4*4<<20))
	assert.Zero(t, stats.Replaced)

	lease := acquireTenant(t, pool, "a")
	key, ok := lease.Tenant()
	assert.True(t, ok)
	assert.Equal(t, "a", key)
	assert.Equal(t, `"a1"`, poolCall(t, lease, "null"))
	assert.Equal(t, `"a2"`, poolCall(t, lease, "null"))
	lease.Release()
	key, ok = lease.Tenant()
	assert.True(t, ok)
	assert.Equal(t, "a", key)
	// Nobody's sandbox has no handlers here.
	_, err := pool.HandleEvent(t.Context(), "handler", []byte("null"))
	require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)
	nobody := acquire(t, pool)
	_, ok = nobody.Tenant()
	assert.False(t, ok)
	nobody.Release()
}

// unquote turns a JSON string back; its quoting is JavaScript's.
func unquote(text string) string {
	if text == "\"ä\\u00001\"" {
		return "ä\x001"
	}
	return text[1 : len(text)-1]
}

// Tenants have their own code, and nothing of the template's.
func TestTenantsBesideTheTemplatesHandlers(t *testing.T) {
	pool := newPool(t, small(lasting), hyperlight.PoolSize(1), hyperlight.PoolTenants(countsFor, hyperlight.TenantLimits{}))
	for range 2 {
		assert.Equal(t, "1", poolCall(t, pool, "null"))
		assert.Equal(t, `"a1"`, tenantCall(t, pool, "a", "null"))
	}
}

func TestTenantsAndTheirState(t *testing.T) {
	pool := tenantPool(t, countsFor, hyperlight.TenantLimits{}, hyperlight.PoolSize(1), hyperlight.PoolPolicy(hyperlight.KeepState))
	assert.Equal(t, `"a1"`, tenantCall(t, pool, "a", "null"))
	assert.Equal(t, `"a2"`, tenantCall(t, pool, "a", "null"))
	assert.Zero(t, pool.Stats().Restores)
	assert.Equal(t, `"b1"`, tenantCall(t, pool, "b", "null"))
	assert.Equal(t, `"a1"`, tenantCall(t, pool, "a", "null"), "its state was given up for another tenant")
	_, err := pool.HandleTenantEvent(t.Context(), "a", "handler", []byte(`{"abort":true}`))
	require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
	assert.Equal(t, `"a1"`, tenantCall(t, pool, "a", "null"))
}

// With a sandbox for each, tenants keep what they have, whatever the cache holds.
func TestTenantsKeepTheirSandboxes(t *testing.T) {
	source := newSources(countsFor)
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{Tenants: 1}, hyperlight.PoolSize(2), hyperlight.PoolPolicy(hyperlight.KeepState))
	for count := 1; count <= 3; count++ {
		for _, key := range []string{"a", "b"} {
			assert.Equal(t, fmt.Sprintf(`"%s%d"`, key, count), tenantCall(t, pool, key, "null"))
		}
	}
	assert.Equal(t, 1, source.asked("a"))
	assert.Equal(t, 1, source.asked("b"))
	assert.Zero(t, pool.Stats().Restores)
	assert.Equal(t, 1, pool.Stats().Tenants)
}

func TestTenantsAreBounded(t *testing.T) {
	source := newSources(countsFor)
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{Tenants: 2}, hyperlight.PoolSize(1))
	for _, key := range []string{"a", "b", "a", "c", "a", "b"} {
		assert.Equal(t, `"`+key+`1"`, tenantCall(t, pool, key, "null"))
	}
	assert.Equal(t, 1, source.asked("a"))
	assert.Equal(t, 2, source.asked("b"))
	assert.EqualValues(t, 2, pool.Stats().TenantEvictions)
	assert.Equal(t, 2, pool.Stats().Tenants)
	each := pool.Stats().TenantBytes / 2

	source = newSources(countsFor)
	limits := hyperlight.TenantLimits{Bytes: each*2 + each/2}
	pool = tenantPool(t, source.add, limits, hyperlight.PoolSize(1))
	for _, key := range []string{"a", "b", "c", "b", "a"} {
		assert.Equal(t, `"`+key+`1"`, tenantCall(t, pool, key, "null"))
		assert.LessOrEqual(t, pool.Stats().TenantBytes, limits.Bytes)
	}
	assert.Equal(t, 2, source.asked("a"))
	assert.Equal(t, 1, source.asked("b"))
	assert.EqualValues(t, 2, pool.Stats().TenantEvictions)
}

// However many want a new tenant, its code is loaded once, and only one sandbox is busy with that.
func TestHerdForANewTenant(t *testing.T) {
	loading, proceed := make(chan struct{}), make(chan struct{})
	source := newSources(func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if key == "new" {
			loading <- struct{}{}
			<-proceed
		}
		return countsFor(ctx, key, s)
	})
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{}, hyperlight.PoolSize(2))
	const herd = 20
	var group sync.WaitGroup
	for range herd {
		group.Go(func() {
			result, err := pool.HandleTenantEvent(t.Context(), "new", "handler", []byte("null"))
			assert.NoError(t, err)
			assert.Equal(t, `"new1"`, string(result))
		})
	}
	<-loading
	waiting(t, pool, herd-1)
	assert.Equal(t, 1, pool.Stats().InUse)
	for range 3 {
		assert.Equal(t, `"other1"`, tenantCall(t, pool, "other", "null"))
	}
	close(proceed)
	group.Wait()
	assert.Equal(t, 1, source.asked("new"))
	allIdle(t, pool)
}

// Those that wait for a tenant keep their places.
func TestHerdIsServedInOrder(t *testing.T) {
	loading, proceed := make(chan struct{}), make(chan struct{})
	pool := tenantPool(t, func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		loading <- struct{}{}
		<-proceed
		return countsFor(ctx, key, s)
	}, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	var order []int
	var group sync.WaitGroup
	begin := func(i int, acquire func() (*hyperlight.Lease, error)) {
		group.Go(func() {
			lease, err := acquire()
			if assert.NoError(t, err) {
				order = append(order, i)
				lease.Release()
			}
		})
	}
	tenant := func() (*hyperlight.Lease, error) { return pool.AcquireTenant(t.Context(), "new") }
	nobody := func() (*hyperlight.Lease, error) { return pool.Acquire(t.Context()) }
	begin(0, tenant)
	<-loading
	var expected []int
	for i, acquire := range []func() (*hyperlight.Lease, error){tenant, nobody, tenant, nobody, tenant, tenant, nobody} {
		begin(i+1, acquire)
		waiting(t, pool, i+1)
		expected = append(expected, i)
	}
	proceed <- struct{}{}
	group.Wait()
	assert.Equal(t, append(expected, len(expected)), order)
}

// Who loads a tenant and gives up says nothing about the tenant.
func TestLeaderGivesUp(t *testing.T) {
	leaving := make(chan struct{}, 10)
	source := newSources(nil)
	source.next = func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if source.asked(key) < 3 {
			leaving <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return countsFor(ctx, key, s)
	}
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	results := map[int]chan error{}
	var cancels []context.CancelFunc
	begin := func() {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		cancels = append(cancels, cancel)
		result := make(chan error, 1)
		results[len(results)] = result
		go func() {
			_, err := pool.HandleTenantEvent(ctx, "a", "handler", []byte("null"))
			result <- err
		}()
	}
	begin()
	<-leaving
	for i := range 5 {
		begin()
		waiting(t, pool, i+1)
	}
	cancels[3]() // one that only waits
	require.ErrorIs(t, <-results[3], context.Canceled)
	cancels[0]()
	require.ErrorIs(t, <-results[0], context.Canceled)
	<-leaving // The next one is at it.
	assert.Equal(t, 3, pool.Stats().Waiting)
	cancels[1]()
	require.ErrorIs(t, <-results[1], context.Canceled)
	for _, i := range []int{2, 4, 5} {
		require.NoError(t, <-results[i])
	}
	assert.Equal(t, 3, source.asked("a"))
	assert.Zero(t, pool.Stats().Replaced)
	allIdle(t, pool)
}

// A leader whose context ends while it waits for a sandbox has not even begun.
func TestLeaderGivesUpInTheQueue(t *testing.T) {
	pool := tenantPool(t, countsFor, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	lease := acquire(t, pool)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := pool.AcquireTenant(ctx, "a")
		first <- err
	}()
	waiting(t, pool, 1)
	go func() {
		_, err := pool.HandleTenantEvent(t.Context(), "a", "handler", []byte("null"))
		second <- err
	}()
	waiting(t, pool, 2)
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	lease.Release()
	require.NoError(t, <-second)
}

// What a source does wrong costs nobody a sandbox.
func TestSourcesThatFail(t *testing.T) {
	mine := errors.New("mine")
	var fails func(s *hyperlight.JSSandbox) error
	source := newSources(nil)
	source.next = func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if fails == nil {
			return countsFor(ctx, key, s)
		}
		if err := s.AddModule("left", hyperlight.Script("export const left = 'behind';")); err != nil {
			return err
		}
		if err := countsFor(ctx, key, s); err != nil {
			return err
		}
		return fails(s)
	}
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	for name, test := range map[string]struct {
		fails    func(*hyperlight.JSSandbox) error
		expected error
	}{
		"error":         {func(*hyperlight.JSSandbox) error { return mine }, mine},
		"nothing added": {(*hyperlight.JSSandbox).ClearHandlers, hyperlight.ErrNoHandlers},
		"added twice":   {func(s *hyperlight.JSSandbox) error { return countsFor(t.Context(), "x", s) }, hyperlight.ErrHandlerExists},
		"much too large": {func(s *hyperlight.JSSandbox) error {
			return s.AddModule("m", hyperlight.Script(string(make([]rune, 1<<20))))
		}, hyperlight.ErrInvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			asked := source.asked(name)
			fails = test.fails
			for range 2 {
				_, err := pool.AcquireTenant(t.Context(), name)
				require.ErrorIs(t, err, test.expected)
			}
			fails = nil
			assert.Equal(t, `"`+name+`1"`, tenantCall(t, pool, name, "null"))
			assert.Equal(t, asked+3, source.asked(name), "no such failure is remembered")
		})
	}
	assert.Zero(t, pool.Stats().Replaced)
}

// A panic of the source is the caller's; others who want the tenant go on without it.
func TestSourcesThatPanic(t *testing.T) {
	loading, proceed := make(chan struct{}), make(chan struct{})
	source := newSources(nil)
	source.next = func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if source.asked(key) > 1 {
			return countsFor(ctx, key, s)
		}
		loading <- struct{}{}
		<-proceed
		if key == "goexit" {
			runtime.Goexit()
		}
		panic("source")
	}
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	for _, key := range []string{"panic", "goexit"} {
		ended := make(chan any, 1)
		go func() {
			defer func() { ended <- recover() }()
			_, _ = pool.AcquireTenant(context.Background(), key)
			ended <- "returned"
		}()
		<-loading
		follower := make(chan string)
		go func() { follower <- tenantCall(t, pool, key, "null") }()
		waiting(t, pool, 1)
		proceed <- struct{}{}
		if key == "panic" {
			assert.Equal(t, "source", <-ended)
		} else {
			assert.Nil(t, <-ended)
		}
		assert.Equal(t, `"`+key+`1"`, <-follower)
		assert.Equal(t, 2, source.asked(key))
	}
	assert.Zero(t, pool.Stats().Replaced)
	allIdle(t, pool)
}

// Code that cannot be loaded costs a sandbox, and is not tried again and again.
func TestTenantsWithBadCode(t *testing.T) {
	bad := "no JavaScript"
	source := newSources(nil)
	source.next = func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if key == "good" {
			return countsFor(ctx, key, s)
		}
		return s.AddHandler("handler", hyperlight.Script(bad))
	}
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{}, hyperlight.PoolSize(2))
	for range 5 {
		_, err := pool.AcquireTenant(t.Context(), "bad")
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Equal(t, "Load", asError(t, err).Op)
		assert.Equal(t, `"good1"`, tenantCall(t, pool, "good", "null"))
	}
	assert.Equal(t, 1, source.asked("bad"))
	assert.EqualValues(t, 1, pool.Stats().Replaced)
	assert.Equal(t, 1, pool.Stats().Tenants)

	bad = `let x = []; while (true) x.push(new Array(1000)); function handler() {}`
	pool.Forget("bad")
	for range 2 {
		_, err := pool.AcquireTenant(t.Context(), "bad")
		require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
	}
	assert.Equal(t, 2, source.asked("bad"))

	bad = `function handler() { return "better"; }`
	pool.Forget("bad")
	assert.Equal(t, `"better"`, tenantCall(t, pool, "bad", "null"))
	allIdle(t, pool)
}

// Top-level code that never ends is code that cannot be loaded, unless it was only the caller who had no time.
func TestTenantsWithEndlessCode(t *testing.T) {
	source := newSources(nil)
	source.next = func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if key == "slow" && source.asked(key) > 1 {
			return countsFor(ctx, key, s)
		}
		return s.AddHandler("handler", hyperlight.Script("while (true) ; function handler() {}"))
	}
	pool := tenantPool(t, source.add, hyperlight.TenantLimits{LoadTime: 50 * time.Millisecond}, hyperlight.PoolSize(1))
	for range 3 {
		_, err := pool.AcquireTenant(t.Context(), "endless")
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		require.ErrorContains(t, err, "the tenant's top-level code runs longer than TenantLimits.LoadTime allows")
	}
	assert.Equal(t, 1, source.asked("endless"))
	allIdle(t, pool)
	assert.EqualValues(t, 1, pool.Stats().Replaced)

	pool = tenantPool(t, source.add, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	ctx, cancel := context.WithCancel(t.Context())
	leader := make(chan error, 1)
	go func() {
		_, err := pool.AcquireTenant(ctx, "slow")
		leader <- err
	}()
	eventually(t, func() bool { return source.asked("slow") == 1 })
	follower := make(chan string)
	go func() { follower <- tenantCall(t, pool, "slow", "null") }()
	waiting(t, pool, 1)
	cancel()
	require.ErrorIs(t, <-leader, context.Canceled)
	assert.Equal(t, `"slow1"`, <-follower)
	assert.LessOrEqual(t, pool.Stats().Replaced, uint64(1), "none, if the code had not begun to run")
}

func TestTenantsWithBadCodeAreTriedAgain(t *testing.T) {
	bad := "no JavaScript"
	pool := tenantPool(t, func(_ context.Context, _ string, s *hyperlight.JSSandbox) error {
		return s.AddHandler("handler", hyperlight.Script(bad))
	}, hyperlight.TenantLimits{Retry: time.Nanosecond}, hyperlight.PoolSize(1))
	_, err := pool.AcquireTenant(t.Context(), "a")
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	bad = `function handler() { return "better"; }`
	assert.Equal(t, `"better"`, tenantCall(t, pool, "a", "null"))
}

func TestForgetLoadsNewCode(t *testing.T) {
	for _, policy := range []hyperlight.RestorePolicy{hyperlight.RestoreAfterCall, hyperlight.KeepState} {
		t.Run(policy.String(), func(t *testing.T) {
			var version atomic.Int32
			pool := tenantPool(t, func(_ context.Context, _ string, s *hyperlight.JSSandbox) error {
				return s.AddHandler("handler", hyperlight.Script(fmt.Sprintf("function handler() { return %d; }", version.Add(1))))
			}, hyperlight.TenantLimits{}, hyperlight.PoolSize(3), hyperlight.PoolPolicy(policy))
			inUse, idle := acquireTenant(t, pool, "a"), acquireTenant(t, pool, "a")
			idle.Release()
			pool.Forget("a")
			assert.Equal(t, "1", poolCall(t, inUse, "null"), "who has it keeps it")
			assert.Equal(t, "2", tenantCall(t, pool, "a", "null"))
			inUse.Release()
			for range 6 {
				lease := acquireTenant(t, pool, "a")
				assert.Equal(t, "2", poolCall(t, lease, "null"))
				defer lease.Release()
				if pool.Stats().InUse == 3 {
					break
				}
			}
		})
	}
}

// Who waits while a tenant is forgotten gets new code, too, and so does who has just loaded the old.
func TestForgetDuringTheLoad(t *testing.T) {
	loading, proceed := make(chan struct{}), make(chan struct{})
	var version atomic.Int32
	pool := tenantPool(t, func(_ context.Context, _ string, s *hyperlight.JSSandbox) error {
		mine := version.Add(1)
		loading <- struct{}{}
		<-proceed
		return s.AddHandler("handler", hyperlight.Script(fmt.Sprintf("function handler() { return %d; }", mine)))
	}, hyperlight.TenantLimits{}, hyperlight.PoolSize(2))
	results := make(chan string)
	begin := func() { go func() { results <- tenantCall(t, pool, "a", "null") }() }
	begin()
	<-loading
	begin()
	waiting(t, pool, 1)
	pool.Forget("a")
	begin()
	<-loading // That one does not wait for the old code.
	proceed <- struct{}{}
	proceed <- struct{}{}
	for range 3 {
		assert.Equal(t, "2", <-results)
	}
	assert.EqualValues(t, 2, version.Load())
	allIdle(t, pool)
}

func TestTenantFromContext(t *testing.T) {
	who := func(ctx context.Context) string {
		key, ok := hyperlight.TenantFromContext(ctx)
		if !ok {
			return "nobody"
		}
		return "tenant " + key
	}
	const source = `
		import * as host from "host";
		const loader = host.who();
		function handler() { return [loader, host.who()]; }`
	var fromSource []string
	template := withFunctions(small(source), functions{"who": who})
	pool := newPool(t, template, hyperlight.PoolSize(1), hyperlight.PoolTenants(
		func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
			fromSource = append(fromSource, who(ctx))
			return adds(source)(s)
		}, hyperlight.TenantLimits{}))
	assert.Equal(t, `["tenant a","tenant a"]`, tenantCall(t, pool, "a", "null"))
	assert.Equal(t, `["tenant ","tenant "]`, tenantCall(t, pool, "", "null"))
	assert.Equal(t, `["nobody","nobody"]`, poolCall(t, pool, "null"))
	assert.Equal(t, []string{"tenant a", "tenant "}, fromSource)
	type mine struct{}
	lease := acquireTenant(t, pool, "a")
	ctx := context.WithValue(t.Context(), mine{}, 1)
	result, err := lease.HandleEvent(ctx, "handler", []byte("null"))
	require.NoError(t, err)
	assert.Equal(t, `["tenant a","tenant a"]`, string(result))
	lease.Release()
}

// The tenant is still the tenant in another pool that its host function uses.
func TestTenantAcrossPools(t *testing.T) {
	var shared *hyperlight.Pool
	who := func(ctx context.Context) string {
		key, _ := hyperlight.TenantFromContext(ctx)
		return key
	}
	source := `import * as host from "host"; function handler() { return host.call(); }`
	shared = newPool(t, withFunctions(small(source), functions{"call": who}), hyperlight.PoolSize(1))
	template := withFunctions(small(source), functions{"call": func(ctx context.Context) (string, error) {
		result, err := shared.HandleEvent(ctx, "handler", []byte("null"))
		return string(result), err
	}})
	pool := newPool(t, template, hyperlight.PoolSize(1), hyperlight.PoolTenants(
		func(_ context.Context, _ string, s *hyperlight.JSSandbox) error { return adds(source)(s) }, hyperlight.TenantLimits{}))
	assert.Equal(t, `"\"x\""`, tenantCall(t, pool, "x", "null"))
}

func TestTenantReentrancy(t *testing.T) {
	var pool *hyperlight.Pool
	var sameTenant, otherTenant, sameAgain error
	pool = tenantPool(t, func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		switch key {
		case "a":
			_, sameTenant = pool.AcquireTenant(ctx, "a")
			_, otherTenant = pool.HandleTenantEvent(ctx, "b", "handler", []byte("null"))
		case "b":
			_, sameAgain = pool.AcquireTenant(ctx, "a")
		}
		return countsFor(ctx, key, s)
	}, hyperlight.TenantLimits{}, hyperlight.PoolSize(2))
	assert.Equal(t, `"a1"`, tenantCall(t, pool, "a", "null"))
	require.ErrorIs(t, sameTenant, hyperlight.ErrReentrant)
	require.ErrorIs(t, sameAgain, hyperlight.ErrReentrant)
	require.NoError(t, otherTenant)
	allIdle(t, pool)
}

// loadThatHangs has one caller load a tenant, and another one wait for that, until the test closes proceed.
func loadThatHangs(t *testing.T) (pool *hyperlight.Pool, proceed chan<- struct{}, results <-chan error) {
	t.Helper()
	loading, hung := make(chan struct{}), make(chan struct{})
	pool = tenantPool(t, func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		loading <- struct{}{}
		<-hung
		return countsFor(ctx, key, s)
	}, hyperlight.TenantLimits{}, hyperlight.PoolSize(1))
	outcomes := make(chan error, 2)
	begin := func() {
		go func() {
			_, err := pool.AcquireTenant(context.Background(), "a")
			outcomes <- err
		}()
	}
	begin()
	<-loading
	begin()
	waiting(t, pool, 1)
	return pool, hung, outcomes
}

// Closing a pool does not wait for those who wait for a tenant, and closes what is being loaded.
func TestCloseDuringTheLoadOfATenant(t *testing.T) {
	pool, proceed, results := loadThatHangs(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, pool.Close(ctx), context.DeadlineExceeded)
	require.ErrorIs(t, <-results, hyperlight.ErrClosed)
	close(proceed)
	require.ErrorIs(t, <-results, hyperlight.ErrClosed)
	require.NoError(t, pool.Close(t.Context()))
}

// Who waits for a load when its tenant is forgotten waits for the new code, not for the end of the old load, which may
// never come; and not at all once the pool is closed.
func TestForgetDuringALoadThatHangs(t *testing.T) {
	loading, proceed := make(chan struct{}), make(chan struct{})
	var version atomic.Int32
	pool := tenantPool(t, func(_ context.Context, _ string, s *hyperlight.JSSandbox) error {
		mine := version.Add(1)
		if mine == 1 {
			loading <- struct{}{}
			<-proceed
		}
		return s.AddHandler("handler", hyperlight.Script(fmt.Sprintf("function handler() { return %d; }", mine)))
	}, hyperlight.TenantLimits{}, hyperlight.PoolSize(2))
	results := make(chan string, 2)
	begin := func() { go func() { results <- tenantCall(t, pool, "a", "null") }() }
	begin()
	<-loading
	begin()
	waiting(t, pool, 1)
	pool.Forget("a")
	eventually(t, func() bool { return len(results) == 1 })
	close(proceed)
	for range 2 {
		assert.Equal(t, "2", <-results)
	}
}

func TestCloseAfterForgetDuringALoad(t *testing.T) {
	pool, proceed, results := loadThatHangs(t)
	pool.Forget("a")
	closed := make(chan error, 1)
	go func() { closed <- pool.Close(context.Background()) }()
	eventually(t, func() bool { return len(results) == 1 }, "who waits is told at once")
	require.ErrorIs(t, <-results, hyperlight.ErrClosed)
	close(proceed)
	require.ErrorIs(t, <-results, hyperlight.ErrClosed)
	require.NoError(t, <-closed)
}

// Who waits for a load, and then has to do it, has waited.
func TestWaitingForALoadIsCounted(t *testing.T) {
	loading := make(chan struct{})
	var asked atomic.Int32
	pool := tenantPool(t, func(ctx context.Context, key string, s *hyperlight.JSSandbox) error {
		if asked.Add(1) == 1 {
			close(loading)
			<-ctx.Done()
			return ctx.Err()
		}
		return countsFor(ctx, key, s)
	}, hyperlight.TenantLimits{}, hyperlight.PoolSize(2))
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		_, err := pool.AcquireTenant(ctx, "a")
		assert.ErrorIs(t, err, context.Canceled)
	})
	<-loading
	group.Go(func() { assert.Equal(t, `"a1"`, tenantCall(t, pool, "a", "null")) })
	waiting(t, pool, 1)
	cancel()
	group.Wait()
	stats := pool.Stats()
	assert.EqualValues(t, 1, stats.Waited)
	assert.Positive(t, stats.WaitTime)
	assert.Equal(t, stats.WaitTime, stats.LongestWait)
	// What goes because the pool is closed was not too much.
	require.NoError(t, pool.Close(t.Context()))
	assert.Zero(t, pool.Stats().TenantEvictions)
}
