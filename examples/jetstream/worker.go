package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// worker runs jobs, as many at a time as it has sandboxes.
type worker struct {
	name      string
	streams   *streams
	sandboxes *sandboxes
	retries   retries
	// grace is how long jobs that run may go on once the worker is told to stop.
	grace time.Duration
	log   *slog.Logger
}

// retries say how often a job is tried, and when.
type retries struct {
	attempts int
	first    time.Duration // the delay after the first attempt; it doubles with each
	most     time.Duration
}

// delay is how long a job waits after this attempt, of which the first is 1.
func (r retries) delay(attempt int) time.Duration {
	delay := r.first
	for range attempt - 1 {
		if delay >= r.most/2 {
			return r.most
		}
		delay *= 2
	}
	return min(delay, r.most)
}

// work takes jobs until ctx ends. It returns when all that it took are answered or back in the queue. The error is that of
// a connection which was closed.
func (w *worker) work(ctx context.Context) error {
	jobs, stopJobs := context.WithCancel(context.WithoutCancel(ctx))
	defer stopJobs()
	context.AfterFunc(ctx, func() {
		w.log.Info("draining", "grace", w.grace)
		time.AfterFunc(w.grace, stopJobs)
	})
	w.log.Info("ready", "sandboxes", w.sandboxes.size)
	var group sync.WaitGroup
	failures := make(chan error, w.sandboxes.size)
	for range w.sandboxes.size {
		group.Go(func() { failures <- w.take(ctx, jobs) })
	}
	group.Wait()
	close(failures)
	var err error
	for failure := range failures {
		err = errors.Join(err, failure)
	}
	w.log.Info("drained")
	return err
}

// pollTime is how long a request for a job stays at the server, and so how long an idle worker takes to stop.
const pollTime = 2 * time.Second

// take takes one job after the other, each when the one before is done: what waits at the server can go to any worker, and
// what waits here could not. jobs is the context that jobs run in.
func (w *worker) take(ctx, jobs context.Context) error {
	for ctx.Err() == nil {
		// A request that is given up may be answered all the same, and the job be lost until the server
		// misses a sign of life. So ctx does not end it.
		msg, err := w.streams.workers.Next(jetstream.FetchMaxWait(pollTime))
		switch {
		case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, jetstream.ErrConnectionClosed):
			return err
		case errors.Is(err, nats.ErrTimeout):
		case err != nil: // The connection is lost, say. The client looks for another server.
			w.log.Warn("no job to be had", "error", err)
			wait(ctx, time.Second)
		case ctx.Err() != nil:
			w.newDelivery(msg).giveBack()
		default:
			w.newDelivery(msg).handle(jobs)
		}
	}
	return nil
}

func wait(ctx context.Context, delay time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(delay):
	}
}
