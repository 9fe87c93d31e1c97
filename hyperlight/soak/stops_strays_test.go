//go:build count_kills && linux && amd64

package soak_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// No signal reaches a thread after its call has returned. The library counts them, if it was built with the cargo
// feature count_kills.
func TestNoStrayKills(t *testing.T) {
	countKills := killCounter(t)
	random := chance(t, 0)
	v := newVictim(t, byTimer, hyperlight.WithUpstreamDefaults(), hyperlight.WithInterruptRetryDelay(1))
	aims := slices.Repeat([]aim{firstAim}, len(stops))
	kills := 0
	for i := 0; kills < size(500, 20_000); i++ {
		kind := i % len(stops)
		attacker := attackers[random.IntN(len(attackers))]
		how, err := attacker(t.Context(), v, aims[kind].order("looping"), stops[kind])
		require.NoError(t, err, stops[kind].name)
		aims[kind] = aims[kind].next(how)
		if how == stopped {
			kills++
		}
	}
	for range size(6, 60) {
		require.NoError(t, closeAtRandom(t, random))
	}
	require.NoError(t, v.succeed(t.Context()))
	sent, strays := countKills()
	figure(t, "signals sent to stop guests", sent)
	figure(t, "signals sent after the call had returned", strays)
	assert.GreaterOrEqual(t, sent, uint64(kills), "a guest that loops is stopped by a signal")
	assert.Zero(t, strays)
}

// killCounter finds the function of the library that was loaded that says how many signals it has sent, and how many
// of them to threads that were in no call.
func killCounter(t *testing.T) func() (sent, strays uint64) {
	t.Helper()
	const variable = "HYPERLIGHT_JS_LIBRARY"
	path := os.Getenv(variable)
	require.NotEmpty(t, path, "set %s to a library with the cargo feature count_kills", variable)
	_, err := hyperlight.Library()
	require.NoError(t, err)
	library, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL) // The same that is loaded.
	require.NoError(t, err)
	function, err := purego.Dlsym(library, "hljs_count_kills")
	require.NoError(t, err, "%s was built without the cargo feature count_kills", path)
	counts := new([2]uint64)
	return func() (sent, strays uint64) {
		purego.SyscallN(function, uintptr(unsafe.Pointer(&counts[0])), uintptr(unsafe.Pointer(&counts[1])))
		return counts[0], counts[1]
	}
}

// attackers make one call that is to be stopped, each on a thread of another kind.
var attackers = []func(ctx context.Context, v *victim, order order, stop stop) (ending, error){
	onThisThread, onThisThread, onThisThread, onThreadThatEnds,
}

// onThisThread goes back to Go with the thread, and on.
func onThisThread(ctx context.Context, v *victim, order order, stop stop) (ending, error) {
	return v.attack(ctx, order, stop, usualDelay)
}

// onThreadThatEnds has the thread end as soon as the call has.
func onThreadThatEnds(ctx context.Context, v *victim, order order, stop stop) (how ending, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock it
		how, err = v.attack(ctx, order, stop, usualDelay)
	}()
	<-done
	return how, err
}

// closeAtRandom boots a sandbox, and has it closed or unloaded when a call of it or a batch is stopped.
func closeAtRandom(t *testing.T, random *rand.Rand) error {
	v := newVictim(t, byTimer, hyperlight.WithUpstreamDefaults(), hyperlight.WithInterruptRetryDelay(1))
	delay := func() time.Duration { return time.Duration(random.Int64N(int64(usualDelay))) }
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	order := newOrder("calling", forEver)
	shot := stops[random.IntN(len(stops))].aim(ctx, v, usualDelay+delay())
	defer shot.release()
	switch random.IntN(3) {
	case 0: // Close while it runs.
		time.AfterFunc(delay(), func() { v.loaded.Close() })
		_, err := v.call(shot.ctx, order, shot.opts...)
		return isOneOf(err, hyperlight.ErrClosed, hyperlight.ErrCancelled, shot.ctx.Err())
	case 1: // Close right after.
		_, err := v.call(shot.ctx, order, shot.opts...)
		return errors.Join(isOneOf(err, hyperlight.ErrCancelled, shot.ctx.Err()), v.loaded.Close())
	default: // A batch, and unload.
		batch := make([]hyperlight.BatchOption, len(shot.opts))
		for i, opt := range shot.opts {
			batch[i] = opt
		}
		_, err := v.loaded.HandleEvents(shot.ctx, "handler", [][]byte{newOrder("looping", 0).event, order.event}, batch...)
		_, unloaded := v.loaded.Unload(ctx)
		return errors.Join(isOneOf(err, hyperlight.ErrCancelled, shot.ctx.Err()), unloaded)
	}
}
