package main

import (
	"context"
	"time"
)

// turns bound how many guests run at a time, since each takes a thread and, while it computes, a processor.
type turns struct {
	places   chan struct{}
	patience time.Duration
}

func newTurns(s settings) *turns {
	return &turns{make(chan struct{}, s.concurrent), s.patience}
}

// take waits for a turn, calls waiting if that takes time, and gives what ends the turn. Sessions bound how many wait.
func (t *turns) take(ctx context.Context, waiting func()) (end func(), err error) {
	end = func() { <-t.places }
	select {
	case t.places <- struct{}{}:
		return end, nil
	default:
		waiting()
	}
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case t.places <- struct{}{}:
		return end, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-timer.C:
		return nil, refuseTurns
	}
}
