package soak_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Upstream forgets a kill that comes before it begins the call, which takes it a while with an event of 1 MB.
func TestEarlyMonitorsStopLoops(t *testing.T) {
	random := chance(t, 0)
	v := newVictim(t, byTimer)
	endless := newOrder("looping", forEver).padded(1_000_000)
	for _, stop := range stops {
		var ended [3]int
		for i := range size(40, 1_000) {
			delay := usualDelay
			if i%2 == 1 {
				delay = time.Duration(random.Int64N(int64(delay)))
			}
			how, err := v.attack(t.Context(), endless, stop, delay)
			require.NoError(t, err)
			ended[how]++
		}
		figure(t, "early "+stop.name+": endless loops refused, stopped", ended[:finished])
	}
	require.NoError(t, v.succeed(t.Context()))
}

// Each call in question is about as long as it takes the stop to come, and the call after it must not notice.
func TestNothingEndsTheNextCall(t *testing.T) {
	pairs := (size(500, 10_000) + len(stops) - 1) / len(stops)
	v := newVictim(t, byTimer, hyperlight.WithUpstreamDefaults())
	for _, stop := range stops {
		aim := firstAim
		var ended [3]int
		for i := range pairs {
			delay := usualDelay
			if i%20 == 0 {
				delay = 0
			}
			how, err := v.attack(t.Context(), aim.order("looping"), stop, delay)
			require.NoError(t, err)
			require.NoError(t, v.succeed(t.Context()), "after %s", stop.name)
			ended[how]++
			if delay > 0 {
				aim = aim.next(how)
			}
		}
		figure(t, "next "+stop.name+": before, during, after the call", ended)
		assert.NotZero(t, ended[stopped], stop.name)
		assert.NotZero(t, ended[finished], stop.name)
	}
}
