//go:build linux && amd64

package soak_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Whatever a guest tries ends within its limits, with a right answer or an error that says what happened; its host
// notices nothing else of it, and after a restore neither does the next guest.
func TestHostileGuests(t *testing.T) {
	attacks := corpus(t)
	before := resources(t)
	t.Run("ours", func(t *testing.T) {
		arena := newArena(t, attacks, false)
		if *full {
			attacks = enlarged(attacks)
		}
		arena.round(t, "", attacks)
		if *full {
			attacks = corpus(t)
			arena.round(t, "without gc", attacks, hyperlight.WithGC(false))
			t.Run("batches", func(t *testing.T) { arena.batches(t, attacks) })
		}
		t.Run("pairs", func(t *testing.T) { arena.pairs(t, attacks, size(10, 500)) })
		arena.report(t, len(attacks))
	})
	if *full {
		t.Run("upstream's", func(t *testing.T) {
			arena := newArena(t, attacks, true)
			arena.round(t, "", attacks)
			arena.round(t, "without gc", attacks, hyperlight.WithGC(false))
			arena.report(t, len(attacks))
		})
	}
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		after := resources(t)
		assert.LessOrEqual(t, after.goroutines, before.goroutines+2)
		assert.LessOrEqual(t, after.files, before.files+10, "the library's own stay open")
		assert.LessOrEqual(t, after.threads, before.threads+24, "Go keeps threads for ever")
	}, patience, 10*time.Millisecond)
}

// enlarged are the attacks with the events that only the full size has time for.
func enlarged(attacks []attack) []attack {
	attacks = slices.Clone(attacks)
	for i := range attacks {
		if attacks[i].has("soak") {
			attacks[i].event = attacks[i].get("soak")
		}
	}
	return attacks
}

// round lets all guests attack, one after the other.
func (a *arena) round(t *testing.T, name string, attacks []attack, opts ...hyperlight.CallOption) {
	t.Helper()
	for _, attack := range attacks {
		title := strings.TrimSpace(name + " " + attack.title)
		require.True(t, t.Run(title, func(t *testing.T) { a.attack(t, attack, opts...) }) || a.loaded.Status().IsReady())
	}
}

// batches has each guest attack as the first of two events.
func (a *arena) batches(t *testing.T, attacks []attack) {
	for _, attack := range attacks {
		if attack.atLoad() || attack.has("before") {
			continue
		}
		t.Run(attack.title, func(t *testing.T) {
			a.host.begin()
			event := []byte(attack.event)
			var opts []hyperlight.BatchOption
			for _, limit := range limits(a.limit(attack)) {
				opts = append(opts, limit)
			}
			var results []hyperlight.EventResult
			silently(t, func() {
				results, _ = a.loaded.HandleEvents(t.Context(), attack.name, [][]byte{event, event}, opts...)
			})
			require.NotEmpty(t, results)
			err := results[0].Err
			assert.True(t, a.isExpected(attack, a.ending(t, err), err), "%.500v", err)
			for _, result := range results[1:] {
				a.ending(t, result.Err)
			}
			calls, _, _ := a.host.state()
			a.recover(t)
			a.invariants(t, calls)
		})
	}
}

// pairs has two guests attack one after the other, without a restore between them: what the second finds is what the
// first has left, so it may end in any way that a guest can.
func (a *arena) pairs(t *testing.T, attacks []attack, times int) {
	random := chance(t, 0)
	attacks = slices.DeleteFunc(slices.Clone(attacks), attack.atLoad)
	for range times {
		a.host.begin()
		var names []string
		for range 2 {
			attack := attacks[random.IntN(len(attacks))]
			names = append(names, attack.title)
			if a.loaded.Status().IsReady() {
				_, err := a.call(t, a.loaded, attack, limits(time.Second))
				a.ending(t, err)
			}
		}
		calls, _, _ := a.host.state()
		a.recover(t)
		a.invariants(t, calls)
		require.False(t, t.Failed(), names)
	}
}

// report tells how guests ended.
func (a *arena) report(t *testing.T, guests int) {
	t.Helper()
	var endings []string
	for _, ending := range slices.Sorted(maps.Keys(a.ended)) {
		endings = append(endings, fmt.Sprintf("%s %d", ending, a.ended[ending]))
	}
	figure(t, "hostile guests", fmt.Sprintf("%d; ended by %s; the slowest: %s, %v", guests, strings.Join(endings, ", "), a.slowest, a.longest))
}
