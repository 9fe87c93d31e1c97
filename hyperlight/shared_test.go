package hyperlight

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newShared() (s *shared[int], freed *atomic.Int32) {
	freed = new(atomic.Int32)
	return &shared[int]{native: 7, free: func(int) { freed.Add(1) }}, freed
}

func TestSharedIsFreedByClose(t *testing.T) {
	s, freed := newShared()
	require.True(t, s.enter())
	s.leave()
	assert.Zero(t, freed.Load())
	s.close()
	s.close()
	assert.EqualValues(t, 1, freed.Load())
	assert.False(t, s.enter())
}

func TestSharedIsFreedByItsLastUser(t *testing.T) {
	s, freed := newShared()
	require.True(t, s.enter())
	require.True(t, s.enter())
	s.close()
	assert.False(t, s.enter(), "nobody comes in any more")
	s.leave()
	assert.Zero(t, freed.Load())
	s.leave()
	assert.EqualValues(t, 1, freed.Load())
}

func TestSharedIsNeverFreedInUse(t *testing.T) {
	for range 200 {
		s, freed := newShared()
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				if s.enter() {
					assert.Zero(t, freed.Load())
					s.leave()
				}
			})
			wait.Go(s.close)
		}
		wait.Wait()
		require.EqualValues(t, 1, freed.Load())
	}
}
