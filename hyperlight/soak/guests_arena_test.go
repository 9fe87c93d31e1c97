//go:build linux && amd64

package soak_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// arena is where hostile guests run: a sandbox that has all of them for handlers, and one beside it that must not
// notice.
type arena struct {
	test      *testing.T // whose end is that of all sandboxes here
	host      *hostUnderAttack
	options   []hyperlight.Option
	small     bool // the sizes are upstream's
	loaded    *hyperlight.LoadedJSSandbox
	clean     *hyperlight.Snapshot // before any of them ran
	bystander *hyperlight.LoadedJSSandbox
	counted   int                   // what the bystander said last
	spare     *hyperlight.JSSandbox // for guests that attack a load; nil if one was lost

	ended   map[string]int
	longest time.Duration
	slowest string
}

// probe tells of a sandbox whether anything is left of a guest that was there before: whether all globals, their
// members and those of their prototypes are the same as at its first call, can be written and extended as then, and
// whether language and host still work.
const probe = `
	import * as host from "host";
	function look() {
		const seen = new Set();
		const found = [];
		(function list(object, depth) {
			if (seen.has(object)) return;
			seen.add(object);
			found.push(object, Object.getPrototypeOf(object), Object.isExtensible(object));
			for (const key of Reflect.ownKeys(object)) {
				const its = Object.getOwnPropertyDescriptor(object, key);
				found.push(key, its.value, its.get, its.set, its.writable, its.enumerable, its.configurable);
				const { value } = its;
				if (value !== null && (typeof value === "object" || (typeof value === "function" && (depth === 0 || key === "prototype")))) list(value, depth + 1);
			}
		})(globalThis, 0);
		return found;
	}
	let clean = null;
	let calls = 0;
	export function handler(event) {
		const now = look();
		clean ??= now;
		return [++calls, now.length > 5000 && now.length === clean.length && now.every((x, i) => Object.is(x, clean[i])),
			[1, 2].map((x) => x * 2), JSON.stringify({ a: [1] }), host.add(1, 2), event,
			"aXb".replace(/X/, (x) => x + x), [3, 1, 2].sort(), typeof handler];
	}`

// untouched is what the probe says in a clean sandbox, at its second call.
const untouched = `[2,true,[2,4],"{\"a\":[1]}",3,"event","aXXb",[1,2,3],"function"]`

// newArena boots the sandboxes.
func newArena(t *testing.T, attacks []attack, small bool) *arena {
	t.Helper()
	a := &arena{test: t, host: newHostUnderAttack(), small: small, ended: map[string]int{}}
	a.options = []hyperlight.Option{hyperlight.WithPrintFunc(a.host.print)}
	if small {
		// Upstream's megabyte of scratch is too little for the probe.
		a.options = append(a.options, hyperlight.WithUpstreamDefaults(), hyperlight.WithScratchSize(4<<20))
	}
	sandbox := a.boot()
	require.NoError(t, sandbox.AddHandler("probe", hyperlight.Script(probe)))
	added := map[string]bool{}
	for _, attack := range attacks {
		if attack.atLoad() || added[attack.name] {
			continue
		}
		added[attack.name] = true
		require.NoError(t, sandbox.AddHandler(attack.name, hyperlight.Script(attack.source)), attack.name)
	}
	var err error
	a.loaded, err = sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, a.loaded)
	require.NoError(t, a.loaded.Restore(t.Context(), snapshot(t, a.loaded))) // In upstream's sizes little memory is left.
	assert.Equal(t, strings.Replace(untouched, "[2,", "[1,", 1), a.probe(t, a.loaded))
	a.clean = snapshot(t, a.loaded)
	a.bystander = load(t, nil, counter, a.options...)
	require.NoError(t, a.loaded.Restore(t.Context(), a.clean))
	return a
}

func (a *arena) boot() *hyperlight.JSSandbox {
	proto := newProto(a.test, nil, a.options...)
	require.NoError(a.test, a.host.register(proto))
	return boot(a.test, proto)
}

// probe runs the probe in a sandbox that should be as new.
func (a *arena) probe(t *testing.T, loaded *hyperlight.LoadedJSSandbox) string {
	t.Helper()
	result, err := loaded.HandleEvent(t.Context(), "probe", []byte(`"event"`), limits(time.Minute)...)
	require.NoError(t, err)
	return string(result)
}

// limits is a limit on the processor's time, and a generous one on that of the clock.
func limits(cpu time.Duration) []hyperlight.CallOption {
	return []hyperlight.CallOption{hyperlight.WithMonitors(
		hyperlight.CPUTime(cpu), hyperlight.WallClock(2*cpu+2*time.Second))}
}

// limit is the processor time that a guest gets: little if it would never end, and enough for all others, of which
// one that prints a million times takes minutes.
func (a *arena) limit(attack attack) time.Duration {
	if attack.get("expect") == "cancelled" {
		return 50 * time.Millisecond
	}
	return time.Duration(size(5, 30)) * time.Minute
}

// isExpected says whether a guest may end so. In upstream's sizes some run out of memory or out of a buffer before they
// are done.
func (a *arena) isExpected(attack attack, ending string, err error) bool {
	tooSmall := ending == "out of memory" || ending == "output too big" ||
		err != nil && strings.Contains(err.Error(), "Not enough space")
	return ending == attack.get("expect") || a.small && tooSmall
}

// attack lets a guest do what it does, and checks what came of it.
func (a *arena) attack(t *testing.T, attack attack, opts ...hyperlight.CallOption) {
	t.Helper()
	a.host.begin()
	began := time.Now()
	result, err := a.run(t, attack, opts)
	a.time(attack, time.Since(began))
	calls := a.judge(t, attack, result, err)
	if attack.has("stains") {
		a.stained(t, attack.get("stains"))
	}
	a.recover(t)
	a.invariants(t, calls)
}

// stained checks that the probe sees what a guest has left: that it ends in just this way, and if by a result, by
// another one.
func (a *arena) stained(t *testing.T, expected string) {
	t.Helper()
	result, err := a.loaded.HandleEvent(t.Context(), "probe", []byte(`"event"`), limits(time.Minute)...)
	ending, _ := endingOf(err)
	assert.Equal(t, expected, ending, "the probe: %s %.500v", result, err)
	assert.NotEqual(t, untouched, string(result), "the probe sees nothing of it")
}

// run gives a guest its event.
func (a *arena) run(t *testing.T, attack attack, opts []hyperlight.CallOption) (result []byte, err error) {
	t.Helper()
	if attack.atLoad() {
		return a.load(t, attack, opts)
	}
	if attack.has("before") {
		_, err := a.loaded.HandleEvent(t.Context(), attack.name, []byte(attack.get("before")), limits(time.Minute)...)
		require.NoError(t, err)
	}
	return a.call(t, a.loaded, attack, opts)
}

func (a *arena) call(t *testing.T, loaded *hyperlight.LoadedJSSandbox, attack attack, opts []hyperlight.CallOption) (result []byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*a.limit(attack)+patience)
	defer cancel()
	silently(t, func() {
		result, err = loaded.HandleEvent(ctx, attack.name, []byte(attack.event), append(limits(a.limit(attack)), opts...)...)
	})
	_, status := endingOf(err)
	assert.Equal(t, status, loaded.Status(), "%.500v", err)
	return result, err
}

// load loads a guest, and calls it if there is still something to call.
func (a *arena) load(t *testing.T, attack attack, opts []hyperlight.CallOption) (result []byte, err error) {
	t.Helper()
	if a.spare == nil {
		a.spare = a.boot()
	}
	sandbox := a.spare
	a.spare = nil
	require.NoError(t, sandbox.AddHandler(attack.name, hyperlight.Script(attack.source)))
	limit := a.limit(attack) + 2*time.Second // For what a load takes beside the guest's code.
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var loaded *hyperlight.LoadedJSSandbox
	silently(t, func() { loaded, err = sandbox.Load(ctx) })
	require.Equal(t, hyperlight.StatusConsumed, sandbox.Status())
	if err != nil {
		return nil, err
	}
	closeWith(t, loaded)
	defer func() {
		// Not only the arena's sandbox is as new after a restore.
		require.NoError(t, loaded.Restore(t.Context(), a.clean))
		assert.Equal(t, untouched, a.probe(t, loaded), "after a restore")
		a.spare = a.unload(t, loaded)
	}()
	return a.call(t, loaded, attack, opts)
}

func (a *arena) unload(t *testing.T, loaded *hyperlight.LoadedJSSandbox) *hyperlight.JSSandbox {
	t.Helper()
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(a.test, sandbox)
	return sandbox
}

// judge checks the end of a guest against what its file says, and returns how often it called the host.
func (a *arena) judge(t *testing.T, attack attack, result []byte, err error) (calls int) {
	t.Helper()
	calls, _, shown := a.host.state()
	ending := a.ending(t, err)
	expected := attack.get("expect")
	if !assert.True(t, a.isExpected(attack, ending, err), "expected: %s, but it ended by %s: %.500s %.500v", expected, ending, result, err) ||
		ending != expected {
		return calls
	}
	if attack.has("result") {
		assert.Equal(t, attack.get("result"), string(result))
	}
	if attack.has("bytes") {
		assert.Equal(t, attack.get("bytes"), strconv.Itoa(len(result)))
	}
	if attack.has("error") {
		assert.Contains(t, err.Error(), text(t, attack.get("error")))
	}
	var exception *hyperlight.JSException
	if ending == "exception" || ending == "host function panicked" {
		require.ErrorAs(t, err, &exception)
		assert.Equal(t, attack.get("thrown"), string(exception.Thrown))
	}
	if attack.has("message") {
		assert.Equal(t, text(t, attack.get("message")), exception.Message)
	}
	if attack.has("calls") {
		assert.Equal(t, attack.get("calls"), strconv.Itoa(calls), "calls of host functions: %.500s", result)
	}
	if attack.has("prints") {
		assert.Equal(t, text(t, attack.get("prints")), shown)
	}
	if attack.has("printed") {
		assert.Equal(t, attack.get("printed"), strconv.Itoa(len(shown)))
	}
	assert.LessOrEqual(t, len(shown), hyperlight.DefaultPrintLimit)
	return calls
}

// secrets are what no error may tell: addresses of this process, of its stacks, of its libraries, of Go's heap.
var secrets = regexp.MustCompile(`0x(0000)?(7[ef]|5[56])[0-9a-f]{10}\b|0x(000000)?c0[0-9a-f]{8}\b`)

// ending checks that an error is one that a guest may cause, and says which.
func (a *arena) ending(t *testing.T, err error) string {
	t.Helper()
	ending, _ := endingOf(err)
	assert.NotEmpty(t, ending, "an error that no guest should cause: %v", err)
	a.ended[ending]++
	if err == nil {
		return ending
	}
	message := err.Error()
	assert.LessOrEqual(t, len(message), a.loaded.Config().OutputBufferSize+4096, "the error is bounded")
	assert.NotRegexp(t, secrets, message)
	here, err := os.Getwd()
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	for _, path := range []string{here, filepath.Dir(program), os.Getenv("HYPERLIGHT_JS_LIBRARY")} {
		if len(path) > 1 {
			assert.NotContains(t, message, path)
		}
	}
	return ending
}

// recover restores the sandbox, which is as new then.
func (a *arena) recover(t *testing.T) {
	t.Helper()
	if a.loaded.Status() == hyperlight.StatusPoisoned {
		_, err := a.loaded.HandleEvent(t.Context(), "probe", []byte(`"event"`))
		require.ErrorIs(t, err, hyperlight.ErrPoisoned)
	}
	require.NoError(t, a.loaded.Restore(t.Context(), a.clean))
	assert.Equal(t, untouched, a.probe(t, a.loaded), "after a restore")
	require.NoError(t, a.loaded.Restore(t.Context(), a.clean))
}

// invariants checks what no guest can change. calls is how often the guest had called the host when its call
// ended.
func (a *arena) invariants(t *testing.T, calls int) {
	t.Helper()
	after, faults, _ := a.host.state()
	assert.Empty(t, faults)
	assert.GreaterOrEqual(t, after, calls)
	assert.LessOrEqual(t, after, calls+2, "only probes call the host when a guest has ended")
	a.counted++
	assert.Equal(t, strconv.Itoa(a.counted), call(t, a.bystander, "null"), "the sandbox beside it")
}

func (a *arena) time(attack attack, took time.Duration) {
	if took > a.longest {
		a.longest, a.slowest = took, attack.title
	}
}
