package soak_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// forgetful makes objects that nobody closes. Its errors end the test.
type forgetful struct {
	t      *testing.T
	lives  *hyperlight.LoadedJSSandbox // as long as the test
	folder string                      // of a snapshot's files
}

func (f *forgetful) proto() *hyperlight.ProtoJSSandbox {
	m := newMark()
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults(), hyperlight.WithPrintFunc(func(string) { m.keep() }))
	require.NoError(f.t, err)
	require.NoError(f.t, proto.Register("host", "function", func() { m.keep() }))
	return proto
}

func (f *forgetful) sandbox() *hyperlight.JSSandbox {
	sandbox, err := f.proto().LoadRuntime(f.t.Context())
	require.NoError(f.t, err)
	return sandbox
}

func (f *forgetful) withHandler(source string) *hyperlight.JSSandbox {
	sandbox := f.sandbox()
	require.NoError(f.t, sandbox.AddHandler("handler", hyperlight.Script(source)))
	return sandbox
}

func (f *forgetful) loaded() *hyperlight.LoadedJSSandbox {
	loaded, err := f.withHandler(counterThatSpins).Load(f.t.Context())
	require.NoError(f.t, err)
	return loaded
}

const counterThatSpins = `
	import * as host from "host";
	let count = 0;
	function handler(event) { console.log("called"); host.function(); if (event.spin) for (;;) {} return ++count; }`

// Whatever is forgotten, in whatever state, is freed: memory, files, threads and functions.
func TestForgottenObjects(t *testing.T) {
	if !inChild(t, plainMalloc) {
		return
	}
	lives := load(t, nil, counter, hyperlight.WithUpstreamDefaults())
	taken := snapshot(t, lives)
	f := &forgetful{t, lives, filepath.Join(t.TempDir(), "snapshots")}
	digest, err := taken.Save(f.folder, "soak")
	require.NoError(t, err)
	spin := func(loaded *hyperlight.LoadedJSSandbox) {
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"spin":true}`),
			hyperlight.WithMonitors(hyperlight.WallClock(5*time.Millisecond)))
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
	}
	cases := []struct {
		what   string
		forget func()
	}{
		{"proto", func() { f.proto() }},
		{"sandbox", func() { f.sandbox() }},
		{"sandbox with handlers", func() { f.withHandler(counter) }},
		{"sandbox whose load failed", func() {
			_, err := f.withHandler("this is no JavaScript").Load(t.Context())
			require.ErrorIs(t, err, hyperlight.ErrJSException)
		}},
		{"loaded", func() { f.loaded() }},
		{"loaded that was called", func() {
			_, err := f.loaded().HandleEvent(t.Context(), "handler", []byte(`{}`))
			require.NoError(t, err)
		}},
		{"loaded that was stopped", func() { spin(f.loaded()) }},
		{"loaded that was restored", func() {
			loaded := f.loaded()
			own, err := loaded.Snapshot(t.Context())
			require.NoError(t, err)
			spin(loaded)
			require.NoError(t, loaded.Restore(t.Context(), own))
		}},
		{"sandbox that was unloaded", func() {
			_, err := f.loaded().Unload(t.Context())
			require.NoError(t, err)
		}},
		{"snapshot", func() {
			_, err := lives.HandleEvent(t.Context(), "handler", []byte(`{}`))
			require.NoError(t, err)
			_, err = lives.Snapshot(t.Context())
			require.NoError(t, err)
			require.NoError(t, lives.Restore(t.Context(), taken)) // upstream remembers the latest
		}},
		{"snapshot from files", func() {
			_, err := hyperlight.LoadSnapshot(f.folder, digest)
			require.NoError(t, err)
		}},
		{"1,000 triggers", func() {
			for range 1000 {
				_, err := hyperlight.NewTrigger("forgotten")
				require.NoError(t, err)
			}
		}},
		{"1,000 interrupt handles", func() {
			for range 1000 {
				_, err := lives.InterruptHandle()
				require.NoError(t, err)
			}
		}},
		{"interrupt handle of a loaded", func() {
			_, err := f.loaded().InterruptHandle()
			require.NoError(t, err)
		}},
		{"pool with a lease", func() {
			pool, err := hyperlight.NewPool(t.Context(), f.template(), hyperlight.PoolSize(1))
			require.NoError(t, err)
			_, err = pool.Acquire(t.Context())
			require.NoError(t, err)
		}},
		{"loaded, in a host function", func() {
			outer := load(t, functions{"forget": func() { f.loaded() }},
				`function handler() { host.forget(); return "went on"; }`, hyperlight.WithUpstreamDefaults())
			require.Equal(t, `"went on"`, call(t, outer, `{}`))
			require.NoError(t, outer.Close())
		}},
		{"call that nobody waits for", func() {
			loaded := f.loaded()
			go func() {
				_, err := loaded.HandleEvent(context.Background(), "handler", []byte(`{}`))
				assert.NoError(t, err)
			}()
		}},
	}
	// Native memory says it all: what malloc keeps when it was freed is resident, too.
	slack := usage{resident: -1, native: 48, goObjects: 5000, ownObjects: -1, goMemory: 256, threads: 8, goroutines: 1, mappings: 16}
	f.loaded() // What happens but once happens here.
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			f.t = t
			before := comesDownTo(t, measureWhenQuiet(t), slack)
			for range size(1, 10) {
				c.forget()
			}
			now := comesDownTo(t, before, slack)
			figure(t, "forgotten: "+c.what+": files, functions, native memory before and after",
				fmt.Sprintf("%d, %d, %d KiB; %d, %d, %d KiB",
					before[openFiles], before[callbacks], before[native], now[openFiles], now[callbacks], now[native]))
		})
	}
}

func (f *forgetful) template() hyperlight.Template {
	return hyperlight.Template{
		Options: []hyperlight.Option{hyperlight.WithUpstreamDefaults()},
		Add: func(s *hyperlight.JSSandbox) error {
			return s.AddHandler("handler", hyperlight.Script(counter))
		},
	}
}

// measureWhenQuiet waits until nothing becomes less any more.
func measureWhenQuiet(t *testing.T) usage {
	t.Helper()
	before := measure(t)
	for {
		time.Sleep(20 * time.Millisecond)
		now := measure(t)
		if now[native] >= before[native] && now[openFiles] >= before[openFiles] && now[callbacks] >= before[callbacks] {
			return now
		}
		before = now
	}
}

// A call is enough of a reference: nothing is freed under it, or stopped, because nobody else has the object.
func TestCallIsTheLastReference(t *testing.T) {
	collect := func() {
		for range 5 {
			runtime.GC()
			time.Sleep(time.Millisecond) // for cleanups, and what they hand over
		}
	}
	made := func(t *testing.T) *hyperlight.LoadedJSSandbox {
		proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults(), hyperlight.WithPrintFunc(func(string) { collect() }))
		require.NoError(t, err)
		require.NoError(t, proto.Register("host", "collect", func() string { collect(); return "collected" }))
		sandbox, err := proto.LoadRuntime(t.Context())
		require.NoError(t, err)
		require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`
			import * as host from "host";
			const loading = host.collect();
			function handler(event) { console.log("text"); return loading + event.a + host.collect(); }`)))
		loaded, err := sandbox.Load(t.Context())
		require.NoError(t, err)
		return loaded
	}
	const event, result = `{"a":"a"}`, `"collectedacollected"`
	trigger := func(t *testing.T) hyperlight.CallOption {
		trigger, err := hyperlight.NewTrigger("collected")
		require.NoError(t, err)
		return hyperlight.WithMonitors(trigger, hyperlight.WallClock(time.Hour))
	}
	for range size(1, 20) {
		text, err := made(t).HandleEvent(t.Context(), "handler", []byte(event), trigger(t))
		require.NoError(t, err)
		require.Equal(t, result, string(text))
		results, err := made(t).HandleEvents(t.Context(), "handler", [][]byte{[]byte(event), []byte(event)}, trigger(t))
		require.NoError(t, err)
		require.Len(t, results, 2)
		require.Equal(t, result, string(results[1].Result))
		loaded := made(t)
		taken, err := loaded.Snapshot(t.Context())
		require.NoError(t, err)
		require.NoError(t, made(t).Restore(t.Context(), taken))
	}
}

// Close may come from everywhere: from what the guest waits for, and from many goroutines at once.
func TestCloseFromEverywhere(t *testing.T) {
	var loaded *hyperlight.LoadedJSSandbox
	closeIt := func() { assert.NoError(t, loaded.Close()) }
	print := hyperlight.WithPrintFunc(func(string) { closeIt() })
	manyTimes := func() {
		var group sync.WaitGroup
		for range 64 {
			group.Go(closeIt)
		}
		group.Wait()
	}
	for name, does := range map[string]string{
		"a host function": `host.close();`, "a print function": `console.log("text");`, "many goroutines": `host.many();`,
		"a host function that panics then": `try { host.panic(); } catch {}`,
	} {
		t.Run(name, func(t *testing.T) {
			for round := range size(1, 20) {
				loaded = load(t, functions{"close": closeIt, "many": manyTimes, "panic": func() { closeIt(); panic("boom") }},
					`function handler() { `+does+` for (;;) {} }`, print, hyperlight.WithUpstreamDefaults())
				handle, err := loaded.InterruptHandle()
				require.NoError(t, err)
				if round%2 == 1 {
					_, err = loaded.HandleEvents(t.Context(), "handler", [][]byte{[]byte(`{}`), []byte(`{}`)})
				} else {
					_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
				}
				require.ErrorIs(t, err, hyperlight.ErrClosed)
				require.True(t, handle.Dropped(), "the call was the last user")
			}
		})
	}
}

// Close comes at a random instant of a sandbox's life, from New on. What is asked of it succeeds, or fails because it is
// closed; and its micro-VM, its files and its functions are gone.
func TestCloseRaces(t *testing.T) {
	if !inChild(t, plainMalloc) {
		return
	}
	random := chance(t, 0)
	taken := snapshot(t, load(t, functions{"function": func() {}}, counter, hyperlight.WithUpstreamDefaults()))
	many := func(lives int) {
		for range lives {
			l := &closedLife{t: t, random: random, taken: taken, left: random.IntN(10)}
			err := l.live()
			require.NoError(t, isOneOf(err, hyperlight.ErrClosed, hyperlight.ErrConsumed))
			l.closers.Wait()
		}
	}
	rounds := size(15, 2000)
	many(rounds / 5)
	slack := usage{resident: -1, native: 64, goObjects: 5000, goMemory: 512, threads: 16, goroutines: 1, mappings: 24}
	before := comesDownTo(t, measureWhenQuiet(t), slack)
	many(rounds)
	now := comesDownTo(t, before, slack)
	figure(t, "lives with a close at a random instant", rounds)
	figure(t, "files, functions, native memory before and after them", fmt.Sprintf("%d, %d, %d KiB; %d, %d, %d KiB",
		before[openFiles], before[callbacks], before[native], now[openFiles], now[callbacks], now[native]))
}

// closedLife is that of one sandbox, until it is closed.
type closedLife struct {
	t       *testing.T
	random  *rand.Rand
	taken   *hyperlight.Snapshot
	left    int // steps until Close comes, during each that follows
	closers sync.WaitGroup
}

// step is called before what may be disturbed by a close of the object that does it.
func (l *closedLife) step(closer io.Closer) {
	if l.left--; l.left >= 0 {
		return
	}
	for range 2 {
		l.closers.Add(1)
		time.AfterFunc(time.Duration(l.random.Int64N(int64(3*time.Millisecond))), func() {
			defer l.closers.Done()
			assert.NoError(l.t, closer.Close())
		})
	}
}

func (l *closedLife) live() error {
	ctx := l.t.Context()
	m := newMark()
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults(), hyperlight.WithPrintFunc(func(string) { m.keep() }))
	require.NoError(l.t, err)
	l.step(proto)
	if err := proto.Register("host", "function", func() { m.keep() }); err != nil {
		return err
	}
	sandbox, err := proto.LoadRuntime(ctx)
	for err == nil {
		l.step(sandbox)
		if err := sandbox.AddHandler("handler", hyperlight.Script(counterThatSpins)); err != nil {
			return err
		}
		loaded, err := sandbox.Load(ctx)
		if err != nil {
			return err
		}
		for range 1 + l.random.IntN(3) {
			l.step(loaded)
			if err := l.use(loaded); err != nil {
				return err
			}
		}
		l.step(loaded)
		if sandbox, err = loaded.Unload(ctx); err != nil {
			return err
		}
	}
	return err
}

// use is any of what a loaded sandbox does.
func (l *closedLife) use(loaded *hyperlight.LoadedJSSandbox) (err error) {
	ctx := l.t.Context()
	switch l.random.IntN(5) {
	case 0:
		_, err = loaded.HandleEvent(ctx, "handler", []byte(`{}`))
	case 1:
		_, err = loaded.HandleEvents(ctx, "handler", [][]byte{[]byte(`{}`), []byte(`{}`), []byte(`{}`)})
	case 2:
		if l.left >= 0 {
			return nil // Nobody would stop it.
		}
		_, err = loaded.HandleEvent(ctx, "handler", []byte(`{"spin":true}`))
	case 3:
		var taken *hyperlight.Snapshot
		if taken, err = loaded.Snapshot(ctx); err == nil {
			err = taken.Close()
		}
	case 4:
		err = loaded.Restore(ctx, l.taken)
	}
	return err
}
