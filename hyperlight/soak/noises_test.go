//go:build linux && amd64

package soak_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// noise is something that the program does meanwhile, again and again.
type noise struct {
	what  string
	every int64 // kills it is done once
	do    func() error

	due  chan struct{}
	done int
}

// noises go on beside a test, at its pace.
type noises struct {
	t       *testing.T
	all     []*noise
	running sync.WaitGroup
}

func newNoises(t *testing.T) *noises {
	n := &noises{t: t, all: []*noise{
		{what: "times goroutines on small stacks were signalled", every: 8, do: smallStacks},
		{what: "sandboxes booted", every: 250, do: bootAnother(t)},
		{what: "snapshots loaded", every: 200, do: loadAnotherSnapshot(t)},
		{what: "signals sent to itself and notified", every: 10, do: signalItself(t)},
		{what: "times all threads were signalled", every: 20, do: signalAllThreads},
		{what: "times profiling was turned on or off", every: 150, do: profile(t)},
		{what: "children run", every: 150, do: runChild(t)},
		{what: "files written and read", every: 10, do: useFile(t)},
		{what: "connections", every: 10, do: connect(t)},
	}}
	for _, noise := range n.all {
		noise.due = make(chan struct{}, 1)
		n.running.Go(func() {
			for range noise.due {
				if !assert.NoError(t, noise.do(), noise.what) {
					return
				}
				noise.done++
			}
		})
	}
	return n
}

// hear says how many kills there were. A noise that is not done with the last time leaves one out.
func (n *noises) hear(kills int64) {
	for _, noise := range n.all {
		if kills%noise.every == 0 {
			select {
			case noise.due <- struct{}{}:
			default:
			}
		}
	}
}

func (n *noises) end() {
	for _, noise := range n.all {
		close(noise.due)
	}
	n.running.Wait()
	for _, noise := range n.all {
		figure(n.t, noise.what, noise.done)
		assert.NotZero(n.t, noise.done, noise.what)
	}
}
