package hyperlight

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// used is a member that somebody has used.
func used(i *image, dirty bool) *member {
	m := &member{image: i}
	m.dirty.Store(dirty)
	return m
}

func TestIdleChoice(t *testing.T) {
	base, a, b, c := &image{}, &image{tenant: true, key: "a"}, &image{tenant: true, key: "b"}, &image{tenant: true, key: "c"}
	fresh := &member{image: base, fresh: true}
	first, second := used(b, false), used(c, true)
	ready, older, dirty := used(a, false), used(a, false), used(a, true)
	for name, test := range map[string]struct {
		idle   idleMembers
		wanted *image
		found  *member
	}{
		"none":                              {nil, a, nil},
		"what needs no restoring":           {idleMembers{fresh, ready, dirty, first}, a, ready},
		"of these the one used last":        {idleMembers{older, first, ready, dirty}, a, ready},
		"else what has the image":           {idleMembers{first, dirty, fresh, second}, a, dirty},
		"else what nobody has used":         {idleMembers{first, fresh, second}, a, fresh},
		"else what was used least recently": {idleMembers{first, second, used(c, false)}, a, first},
		"a restored one for the template":   {idleMembers{first, used(base, true), fresh}, base, fresh},
		"to load a tenant, an unused one":   {idleMembers{first, fresh, ready}, nil, fresh},
		"or the one used least recently":    {idleMembers{second, first, ready}, nil, second},
	} {
		t.Run(name, func(t *testing.T) {
			idle := slices.Clone(test.idle)
			assert.Same(t, test.found, idle.take(test.wanted))
			assert.Len(t, idle, max(0, len(test.idle)-1))
			assert.False(t, slices.Contains(idle, test.found))
		})
	}
}

func TestIdleMembersToRestore(t *testing.T) {
	one := &image{}
	clean, dirty, another := used(one, false), used(one, true), used(one, true)
	idle := idleMembers{clean, dirty, another}
	assert.Equal(t, 2, idle.dirty())
	assert.Same(t, dirty, idle.takeDirty())
	assert.Same(t, another, idle.takeDirty())
	assert.Nil(t, idle.takeDirty())
	assert.Equal(t, idleMembers{clean}, idle)
}

// Whoever comes back takes the place that he had.
func TestQueueKeepsTheOrderOfTickets(t *testing.T) {
	const many = 200
	var queue requestQueue
	requests := make([]*request, many)
	for i := range requests {
		requests[i] = &request{ticket: uint64(i + 1)}
	}
	for _, i := range rand.Perm(many) {
		queue.insert(requests[i])
	}
	for _, gone := range requests[50:60] {
		assert.True(t, queue.remove(gone))
		assert.False(t, queue.remove(gone))
	}
	first := queue.pop()
	assert.Same(t, requests[0], first)
	queue.insert(first)
	for i, expected := range requests {
		if i < 50 || i >= 60 {
			assert.Same(t, expected, queue.pop())
		}
	}
	assert.Nil(t, queue.pop())
}
