//go:build linux && amd64

package soak_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Guests are stopped by signals to threads that run Go code before and after, for which Go allows nothing but handlers
// on a stack of their own. Here calls are stopped all the time, by everything that stops calls, while the program does
// all that Go programs do that has to do with signals, threads and stacks.
func TestSignals(t *testing.T) {
	const victims, killers = 4, 4
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	defer debug.SetGCPercent(debug.SetGCPercent(1))

	shots, over := make(chan func()), make(chan struct{})
	var kills, callbacks atomic.Int64
	noises := newNoises(t)
	var shooting, calling sync.WaitGroup
	for range killers {
		shooting.Go(func() {
			for {
				select {
				case shoot := <-shots:
					shoot()
				case <-over:
					return
				}
			}
		})
	}
	for i := range victims {
		// A delay of 0 is a nanosecond here, for as many signals as can be. Upstream's, no pause at all, would keep some
		// guests from ever stopping.
		v := newVictim(t, func(delay time.Duration, do func()) {
			byTimer(delay, func() {
				select {
				case shots <- do:
				case <-over: // It was for a call that has ended by itself.
				}
			})
		}, hyperlight.WithUpstreamDefaults(), hyperlight.WithInterruptRetryDelay(0))
		random := chance(t, i)
		calling.Go(func() {
			defer func() { callbacks.Add(v.callbacks.Load()) }()
			for kills.Load() < int64(size(1_500, 30_000)) && !t.Failed() {
				how, err := attackAtRandom(t.Context(), v, random)
				if !assert.NoError(t, err) || !assert.NoError(t, v.succeed(t.Context())) {
					return
				}
				if how == stopped {
					noises.hear(kills.Add(1))
				}
			}
		})
	}
	calling.Wait()
	close(over)
	shooting.Wait()
	noises.end()
	figure(t, "calls stopped", kills.Load())
	figure(t, "callbacks", callbacks.Load())
	assert.NotZero(t, callbacks.Load())
}

func attackAtRandom(ctx context.Context, v *victim, random *rand.Rand) (ending, error) {
	works := []string{"looping", "calling", "printing"}
	rounds := []int{forEver, random.IntN(20)}
	order := newOrder(works[random.IntN(len(works))], rounds[random.IntN(len(rounds))])
	delay := time.Duration(random.Int64N(int64(3 * time.Millisecond)))
	return v.attack(ctx, order, stops[random.IntN(len(stops))], delay)
}
