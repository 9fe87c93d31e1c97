package hyperlight_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

var serveFor = flag.Duration("serve", 15*time.Second, "how long TestServer serves")

// A service as people build them, HTTP in front of a pool of 8, on a bad day: clients go away, host functions panic
// and hang, guests loop, use up their memory and wreck their sandboxes, and somebody stops calls at random. No
// answer is wrong, none fails to come, and nothing is left over.
func TestServer(t *testing.T) {
	_, err := hyperlight.Run(t.Context(), `function handler() { return 1; }`, []byte(`{}`))
	require.NoError(t, err) // Upstream opens /dev/kvm once, for ever.
	empty := resourcesInUse(t)
	s := newService(t)
	server := httptest.NewServer(s)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

	s.serve(t, client, server.URL, *serveFor/5)
	before := s.resources(t, client)
	s.serve(t, client, server.URL, *serveFor)
	after := s.resources(t, client)
	t.Logf("in %v: %s", *serveFor, s.counts())
	t.Logf("%+v", s.pool.Stats())

	server.Close()
	require.NoError(t, s.pool.Close(t.Context()))
	closed := resourcesInUse(t)
	t.Logf("longest request %v; resources before the pool %v, warm %v, after %v, closed %v",
		time.Duration(s.longest.Load()), empty, before, after, closed)
	assert.Empty(t, s.wrong)
	for _, kind := range kinds {
		assert.NotZero(t, s.answered(kind.name), "%s, of which none was asked or answered", kind.name)
	}
	assert.Less(t, time.Duration(s.longest.Load()), time.Minute)
	after.areAtMost(t, before)
	closed.areAtMost(t, empty)
}

// serve has clients and an enemy at work for a while.
func (s *service) serve(t *testing.T, client *http.Client, url string, long time.Duration) {
	var done sync.WaitGroup
	end := time.Now().Add(long)
	for range 16 {
		done.Go(func() {
			for time.Now().Before(end) {
				s.request(t, client, url)
			}
		})
	}
	done.Go(func() {
		for time.Now().Before(end) {
			time.Sleep(rand.N(40 * time.Millisecond))
			trigger := s.triggers[rand.IntN(len(s.triggers))]
			trigger.Fire()
			trigger.Reset()
		}
	})
	done.Wait()
}

// kinds are what clients ask for, and how often.
var kinds = []struct {
	name, source string
	weight       int
}{
	{"sum", `import * as host from "host";
		function handler(event) {
			if (globalThis.leak || ({}).polluted || [].concat([1]).length !== 1) throw new Error("not clean");
			globalThis.leak = event; Object.prototype.polluted = event; Array.prototype.concat = () => "polluted";
			console.log("secret", event.id);
			return { id: event.id, sum: event.a + event.b, twice: host.twice(event.a) };
		}`, 50},
	{"fails", `import * as host from "host"; function handler(event) { host.fails(event.id); }`, 8},
	{"exits", `import * as host from "host"; function handler(event) { host.exits(); }`, 4},
	{"waits", `import * as host from "host"; function handler(event) { host.waits(); }`, 6},
	{"nests", `import * as host from "host"; function handler(event) { return JSON.parse(host.nests(event)); }`, 6},
	{"loops", `function handler(event) { for (;;) globalThis.loops = event; }`, 6},
	{"grows", `function handler(event) { for (const all = [];;) all.push(new Uint8Array(1 << 16)); }`, 3},
	{"wrecks", `async function handler(event) { await import("/" + "a/".repeat(3000)); }`, 1},
}

// service answers POST /KIND.
type service struct {
	pool     *hyperlight.Pool
	triggers []*hyperlight.Trigger
	nesting  chan struct{} // bounds how many requests take two sandboxes, or they could wait for each other
	id       atomic.Int64
	longest  atomic.Int64
	mu       sync.Mutex
	wrong    []string
	results  sync.Map // kind and outcome: *atomic.Int64
}

func newService(t *testing.T) *service {
	s := &service{nesting: make(chan struct{}, 4)}
	for i := range 8 {
		s.triggers = append(s.triggers, newTrigger(t, fmt.Sprintf("killer-%d", i)))
	}
	template := hyperlight.Template{
		Options:  []hyperlight.Option{hyperlight.WithHeapSize(4 << 20), hyperlight.WithScratchSize(6 << 20)},
		Register: s.register,
		Add: func(sandbox *hyperlight.JSSandbox) error {
			for _, kind := range kinds {
				if err := sandbox.AddHandler(kind.name, hyperlight.Script(kind.source)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	pool, err := hyperlight.NewPool(t.Context(), template, hyperlight.PoolSize(8))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close(context.Background())) })
	s.pool = pool
	return s
}

func (s *service) register(proto *hyperlight.ProtoJSSandbox) error {
	host := proto.HostModule("host")
	return errors.Join(
		proto.SetModuleLoader(fstest.MapFS{}),
		host.Register("twice", func(x int) int { return 2 * x }),
		host.Register("fails", func(id int) { panic(fmt.Sprint("no ", id)) }),
		host.Register("exits", runtime.Goexit),
		host.Register("waits", func(ctx context.Context) { <-ctx.Done() }),
		host.Register("nests", func(ctx context.Context, event json.RawMessage) (string, error) {
			result, err := s.pool.HandleEvent(ctx, "sum", event)
			return string(result), err
		}),
	)
}

// ServeHTTP runs a handler. What stopped it, if that is what happened, is in a header.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := strings.TrimPrefix(r.URL.Path, "/")
	event, err := io.ReadAll(r.Body)
	if err != nil {
		return // The client is gone.
	}
	if kind == "nests" {
		s.nesting <- struct{}{}
		defer func() { <-s.nesting }()
	}
	trigger := s.triggers[rand.IntN(len(s.triggers))]
	result, err := s.pool.HandleEvent(r.Context(), kind, event, hyperlight.WithGC(rand.IntN(2) == 0),
		hyperlight.WithMonitors(trigger, hyperlight.WallClock(20*time.Second)))
	if err == nil {
		_, _ = w.Write(result)
		return
	}
	var failure *hyperlight.Error
	if errors.As(err, &failure) {
		w.Header().Set("Stopped-By", failure.Monitor)
	}
	http.Error(w, err.Error(), statusOf(err))
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, hyperlight.ErrHostFunctionPanicked):
		return http.StatusBadGateway
	case errors.Is(err, hyperlight.ErrJSException):
		return http.StatusUnprocessableEntity
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusRequestTimeout
	case errors.Is(err, hyperlight.ErrCancelled):
		return http.StatusServiceUnavailable
	case errors.Is(err, hyperlight.ErrOutOfMemory):
		return http.StatusInsufficientStorage
	case errors.Is(err, hyperlight.ErrGuestAborted):
		return http.StatusGone
	}
	return http.StatusInternalServerError
}

// request asks for something at random, and may not wait for the answer.
func (s *service) request(t *testing.T, client *http.Client, url string) {
	kind := kinds[pick()]
	id, a, b := s.id.Add(1), rand.IntN(1000), rand.IntN(1000)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	impatient := kind.name == "loops" || kind.name == "waits" || rand.IntN(4) == 0
	if impatient {
		ctx, cancel = context.WithTimeout(ctx, rand.N(60*time.Millisecond))
		defer cancel()
	}
	body := fmt.Appendf(nil, `{"id":%d,"a":%d,"b":%d}`, id, a, b)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/"+kind.name, bytes.NewReader(body))
	if !assert.NoError(t, err) {
		return
	}
	start := time.Now()
	status, stopped, answer, err := exchange(client, request)
	took := int64(time.Since(start))
	for longest := s.longest.Load(); took > longest && !s.longest.CompareAndSwap(longest, took); {
		longest = s.longest.Load()
	}
	if err != nil && ctx.Err() != nil && impatient {
		s.count(kind.name, "given up")
		return
	}
	sum := fmt.Sprintf(`{"id":%d,"sum":%d,"twice":%d}`, id, a+b, 2*a)
	want := map[string]struct {
		status int
		answer string
	}{
		"sum": {http.StatusOK, sum}, "nests": {http.StatusOK, sum},
		"fails":  {http.StatusBadGateway, fmt.Sprint("panicked: no ", id)},
		"exits":  {http.StatusBadGateway, "panicked: runtime.Goexit"},
		"grows":  {http.StatusInsufficientStorage, "Guest aborted"},
		"wrecks": {http.StatusGone, "the guest imports"},
	}[kind.name]
	switch {
	case err == nil && strings.HasPrefix(stopped, "killer-") && status == http.StatusServiceUnavailable:
		s.count(kind.name, "stopped")
	case err == nil && status == want.status && strings.Contains(answer, want.answer):
		s.count(kind.name, "as it should")
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wrong = append(s.wrong, fmt.Sprintf("%s: %d %s, stopped by %q: %v", kind.name, status, answer, stopped, err))
	}
}

// exchange is an answer read to its end.
func exchange(client *http.Client, request *http.Request) (status int, stopped, answer string, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, "", "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Stopped-By"), string(body), err
}

// pick chooses one of kinds by their weights.
func pick() int {
	total := 0
	for _, kind := range kinds {
		total += kind.weight
	}
	number := rand.IntN(total)
	for i, kind := range kinds {
		if number -= kind.weight; number < 0 {
			return i
		}
	}
	return 0
}

func (s *service) count(kind, outcome string) {
	counter, _ := s.results.LoadOrStore(kind+" "+outcome, new(atomic.Int64))
	counter.(*atomic.Int64).Add(1)
}

// answered is how many requests of a kind had an answer, or were given up as they should.
func (s *service) answered(kind string) (sum int64) {
	s.results.Range(func(key, value any) bool {
		if strings.HasPrefix(key.(string), kind+" ") {
			sum += value.(*atomic.Int64).Load()
		}
		return true
	})
	return sum
}

func (s *service) counts() string {
	var lines []string
	s.results.Range(func(key, value any) bool {
		lines = append(lines, fmt.Sprint(key, " ", value.(*atomic.Int64).Load()))
		return true
	})
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

// resources are those of the process once the pool is at rest, and nobody is connected.
func (s *service) resources(t *testing.T, client *http.Client) resources {
	client.CloseIdleConnections()
	require.Eventually(t, func() bool { return s.pool.Stats().Idle == 8 }, time.Minute, 10*time.Millisecond)
	return resourcesInUse(t)
}

// resources are what a leak would show in.
type resources struct{ goroutines, threads, files, maps int }

// resourcesInUse waits until what is ending has ended.
func resourcesInUse(t *testing.T) resources {
	now := currentResources(t)
	for range 100 {
		runtime.GC() // What is forgotten is closed some time later.
		time.Sleep(50 * time.Millisecond)
		next := currentResources(t)
		if next.goroutines >= now.goroutines && next.files >= now.files && next.maps >= now.maps {
			return next
		}
		now = next
	}
	return now
}

func currentResources(t *testing.T) resources {
	count := func(folder string) int {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		return len(entries)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	return resources{
		goroutines: runtime.NumGoroutine(), threads: count("/proc/self/task"), files: count("/proc/self/fd"),
		maps: bytes.Count(maps, []byte("\n")),
	}
}

func (r resources) String() string {
	return fmt.Sprintf("%d goroutines, %d threads, %d files, %d maps", r.goroutines, r.threads, r.files, r.maps)
}

// areAtMost allows for threads, which Go keeps, up to as many as ever ran at a time, and for their stacks and what
// Go's memory needs.
func (r resources) areAtMost(t *testing.T, before resources) {
	t.Helper()
	const mostThreads = 64
	assert.LessOrEqual(t, r.goroutines, before.goroutines+2)
	assert.LessOrEqual(t, r.threads, mostThreads)
	assert.LessOrEqual(t, r.files, before.files)
	assert.LessOrEqual(t, r.maps, before.maps+2*mostThreads)
}
