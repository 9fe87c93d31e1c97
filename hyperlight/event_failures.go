package hyperlight

import (
	"cmp"
	"slices"
)

// eventFailures is what has failed in Go while one event was handled, for the error that may come of it. A guest may
// keep what it was told for a later event of the same batch, whose error is then not about it.
type eventFailures struct {
	event  uint64         // its index in the batch
	host   []*hostFailure // the last ones of host functions
	module error          // why the module loader's file system failed last
}

// currentFailures are those of the event that runs.
func (c *guestCall) currentFailures() *eventFailures {
	event, _ := c.currentEvent()
	if len(c.failures) == 0 || c.failures[len(c.failures)-1].event != event {
		c.failures = append(c.failures, eventFailures{event: event})
	}
	return &c.failures[len(c.failures)-1]
}

// failuresOf are those of one event.
func (c *guestCall) failuresOf(event uint64) *eventFailures {
	i, found := slices.BinarySearchFunc(c.failures, event, func(f eventFailures, event uint64) int {
		return cmp.Compare(f.event, event)
	})
	if !found {
		return &eventFailures{}
	}
	return &c.failures[i]
}
