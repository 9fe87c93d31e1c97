package soak_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// busy counts its calls, and works for n rounds, or for ever if n is below zero.
const busy = `
	let count = 0;
	const works = {
		looping() {},
		calling() { host.beat(); },
		printing() { console.log("here"); },
	};
	function handler({ work, n }) {
		count++;
		for (let i = 0; i !== n; i++) works[work]();
		return count;
	}`

// order is an event for busy.
type order struct {
	event   []byte
	endless bool
}

const forEver = -1

func newOrder(work string, n int) order {
	return order{fmt.Appendf(nil, `{"work":%q,"n":%d}`, work, n), n == forEver}
}

// padded is a long event.
func (o order) padded(bytes int) order {
	o.event = fmt.Appendf(o.event[:len(o.event)-1], `,"padding":%q}`, strings.Repeat("x", bytes))
	return o
}

// victim is a sandbox of which calls are stopped.
type victim struct {
	loaded    *hyperlight.LoadedJSSandbox
	snapshot  *hyperlight.Snapshot
	interrupt *hyperlight.InterruptHandle
	later     later
	count     int // of calls that the guest knows of
	callbacks atomic.Int64
}

// later runs something after a delay, on another goroutine.
type later func(delay time.Duration, do func())

// byTimer is exact: on a machine with one processor, whoever waits busily keeps the guest from running.
func byTimer(delay time.Duration, do func()) { time.AfterFunc(delay, do) }

func newVictim(t *testing.T, later later, opts ...hyperlight.Option) *victim {
	t.Helper()
	v := &victim{later: later}
	beat := func() { v.callbacks.Add(1) }
	v.loaded = load(t, functions{"beat": beat}, busy, append(opts, hyperlight.WithPrintFunc(func(string) { beat() }))...)
	v.snapshot = snapshot(t, v.loaded)
	handle, err := v.loaded.InterruptHandle()
	require.NoError(t, err)
	v.interrupt = handle
	return v
}

func (v *victim) call(ctx context.Context, order order, opts ...hyperlight.CallOption) ([]byte, error) {
	return v.loaded.HandleEvent(ctx, "handler", order.event, append(opts, hyperlight.WithGC(false))...)
}

// ending is how a call ended that something was to stop.
type ending int

const (
	refused  ending = iota // before the guest ran
	stopped                // while it ran
	finished               // by itself
)

// attack makes a call that is to be stopped after a delay, and checks how it ends: as it would without the stop, or
// in just the way in which that kind of stop ends it. In any case the sandbox is usable afterwards.
func (v *victim) attack(ctx context.Context, order order, stop stop, delay time.Duration) (ending, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	shot := stop.aim(ctx, v, delay)
	result, err := v.call(shot.ctx, order, shot.opts...)
	shot.release()
	if err == nil {
		v.count++
		return finished, v.check(order, result)
	}
	if ctx.Err() != nil {
		return 0, fmt.Errorf("%s did not stop the call within a minute: %w", stop.name, err)
	}
	status := v.loaded.Status()
	if status.IsReady() {
		return refused, stop.checkRefusal(shot, err)
	}
	if err := stop.check(shot, err); err != nil {
		return 0, err
	}
	v.count = 0
	return stopped, v.loaded.Restore(ctx, v.snapshot)
}

// succeed makes a call that nothing is to stop.
func (v *victim) succeed(ctx context.Context) error {
	order := newOrder("looping", 0)
	result, err := v.call(ctx, order)
	if err != nil {
		return fmt.Errorf("a call that nothing was to stop: %w", err)
	}
	v.count++
	return v.check(order, result)
}

func (v *victim) check(order order, result []byte) error {
	if order.endless {
		return errors.New("an endless call returned")
	}
	if want := fmt.Sprint(v.count); string(result) != want {
		return fmt.Errorf("the call returned %s instead of %s", result, want)
	}
	return nil
}
