package soak_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// stop is a way to stop a call.
type stop struct {
	name    string
	monitor string // what errors call it
	aim     func(ctx context.Context, v *victim, delay time.Duration) shot
}

// shot is a stop for one call: what the call is made with, and what is done when it has ended.
type shot struct {
	ctx     context.Context
	opts    []hyperlight.CallOption
	release func()
}

// stops are all ways to stop a call from outside, but for Close.
var stops = []stop{
	{"wall clock", "wall-clock", func(ctx context.Context, _ *victim, delay time.Duration) shot {
		return shot{ctx, watchedBy(hyperlight.WallClock(max(delay, 1))), func() {}}
	}},
	{"CPU time", "cpu-time", func(ctx context.Context, _ *victim, delay time.Duration) shot {
		return shot{ctx, watchedBy(hyperlight.CPUTime(max(delay, 1))), func() {}}
	}},
	{"deadline", "context", func(ctx context.Context, _ *victim, delay time.Duration) shot {
		ctx, cancel := context.WithTimeout(ctx, delay)
		return shot{ctx, nil, cancel}
	}},
	{"cancel", "context", func(ctx context.Context, v *victim, delay time.Duration) shot {
		ctx, cancel := context.WithCancel(ctx)
		if delay == 0 {
			cancel()
		} else {
			v.later(delay, cancel)
		}
		return shot{ctx, nil, func() {}}
	}},
	// The trigger may still be fired when the next call runs, which has another of the same name.
	{"trigger", "trigger", func(ctx context.Context, v *victim, delay time.Duration) shot {
		trigger, err := hyperlight.NewTrigger("trigger")
		if err != nil {
			panic(err) // The name is good.
		}
		if delay == 0 {
			trigger.Fire()
		} else {
			v.later(delay, trigger.Fire)
		}
		return shot{ctx, watchedBy(trigger), func() {}}
	}},
	// A handle stops what runs, or nothing. So it is used again and again, until the call has ended.
	{"interrupt", "interrupt", func(ctx context.Context, v *victim, delay time.Duration) shot {
		var over stopSign
		v.later(delay, func() {
			for over.unlessSet(func() { v.interrupt.Kill() }) {
				time.Sleep(delay / 16)
			}
		})
		return shot{ctx, nil, over.set}
	}},
}

func watchedBy(monitor hyperlight.Monitor) []hyperlight.CallOption {
	return []hyperlight.CallOption{hyperlight.WithMonitors(monitor)}
}

// check says what is wrong with the error of a call that this stopped.
func (s *stop) check(shot shot, err error) error {
	var failure *hyperlight.Error
	switch {
	case !errors.Is(err, hyperlight.ErrCancelled) || !errors.As(err, &failure) || failure.Monitor != s.monitor:
		return fmt.Errorf("%s should have stopped the call: %w", s.name, err)
	case s.monitor == "context" && !errors.Is(err, shot.ctx.Err()):
		return fmt.Errorf("the error does not say %w: %w", shot.ctx.Err(), err)
	}
	return nil
}

// checkRefusal says what is wrong with the error of a call that this kept from running.
func (s *stop) checkRefusal(shot shot, err error) error {
	switch s.monitor {
	case "context":
		if ended := shot.ctx.Err(); ended != nil && errors.Is(err, ended) && !errors.Is(err, hyperlight.ErrCancelled) {
			return nil
		}
	case "trigger":
		return s.check(shot, err)
	}
	return fmt.Errorf("%s should not have refused the call: %w", s.name, err)
}

// stopSign ends what others do again and again.
type stopSign struct {
	mu    sync.Mutex
	isSet bool
}

// set returns when nobody does it any more.
func (s *stopSign) set() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isSet = true
}

func (s *stopSign) unlessSet(do func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isSet {
		do()
	}
	return !s.isSet
}
