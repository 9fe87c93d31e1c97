package soak_test

import "time"

// usualDelay is how long a stop takes to come.
const usualDelay = time.Millisecond

// aim finds calls that end at about the time at which a stop comes: it is how many rounds they work. Timers are as coarse
// as a millisecond, so delays would not do.
type aim float64

const firstAim aim = 1_000

func (a aim) order(work string) order { return newOrder(work, int(a)) }

// next is for a longer call if this one got away, and else for a shorter one.
func (a aim) next(how ending) aim {
	const step = 1.1
	if how == finished {
		return a * step
	}
	return a / step
}
