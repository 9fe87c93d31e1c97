package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/nats-io/nats.go/jetstream"
)

// delivery is a job that the server has handed to this worker.
type delivery struct {
	*worker
	msg    jetstream.Msg
	id     string
	number int // of the attempt; those of workers that died count, too
	log    *slog.Logger
}

func (w *worker) newDelivery(msg jetstream.Msg) *delivery {
	number := 1
	if metadata, err := msg.Metadata(); err == nil { // It comes from a stream, so it has some.
		number = int(metadata.NumDelivered)
	}
	id := strings.TrimPrefix(msg.Subject(), jobsPrefix)
	return &delivery{w, msg, id, number, w.log.With("job", id, "attempt", number)}
}

// handle takes the job to its end: it is answered and then acknowledged, or it is back in the queue. When ctx ends, a
// script that still runs is stopped, and its job is back in the queue.
func (d *delivery) handle(ctx context.Context) {
	if err := d.work(ctx); err != nil {
		// There may be an answer or not. Whoever gets the job next finds out.
		d.log.Error("job is not acknowledged", "error", err)
		d.tryAgain(d.retries.first)
	}
}

func (d *delivery) work(ctx context.Context) error {
	if answered, err := d.wasAnswered(ctx); answered || err != nil {
		return err
	}
	if d.number > d.retries.attempts {
		return d.fail(ctx, fmt.Sprintf("none of %d attempts came to an end: their workers died, or had to stop", d.retries.attempts))
	}
	j, err := readJob(d.msg.Data())
	if err != nil {
		return d.fail(ctx, err.Error())
	}
	d.log.Info("job begins")
	result, err := d.run(ctx, j)
	switch {
	case err == nil:
		return d.settle(ctx, answer{ID: d.id, Result: result, Attempts: d.number, Worker: d.name})
	case ctx.Err() != nil:
		d.giveBack()
	case d.number < d.retries.attempts:
		delay := d.retries.delay(d.number)
		d.log.Warn("job failed", "error", reason(err), "again in", delay)
		d.tryAgain(delay)
	default:
		return d.fail(ctx, reason(err))
	}
	return nil
}

// wasAnswered acknowledges the job of a worker that died after it had answered it, and before it had acknowledged it.
func (d *delivery) wasAnswered(ctx context.Context) (bool, error) {
	if d.number == 1 {
		return false, nil
	}
	ctx, cancel := atTheEnd(ctx)
	defer cancel()
	a, found, err := d.streams.answerTo(ctx, d.id)
	if !found || err != nil {
		return false, err
	}
	return true, d.settle(ctx, a) // That worker may have died before it wrote the dead letter.
}

// run runs the script, and lets the server know that it does.
func (d *delivery) run(ctx context.Context, j job) (json.RawMessage, error) {
	stop := heartbeat(d.msg, d.streams.ackWait)
	defer stop()
	return d.sandboxes.run(ctx, attempt{d.id, d.number, j})
}

// fail answers the job with an error.
func (d *delivery) fail(ctx context.Context, why string) error {
	return d.settle(ctx, answer{ID: d.id, Error: why, Attempts: min(d.number, d.retries.attempts), Worker: d.name})
}

// settle answers the job, and acknowledges it when the server has the answer.
func (d *delivery) settle(ctx context.Context, a answer) error {
	ctx, cancel := atTheEnd(ctx)
	defer cancel()
	counts, published, err := d.streams.settle(ctx, d.msg, a)
	if err != nil {
		return err
	}
	if err := d.msg.DoubleAck(ctx); err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	switch {
	case !published:
		d.log.Info("job was answered before", "by", counts.Worker)
	case counts.failed():
		d.log.Error("job is dead", "error", counts.Error)
	default:
		d.log.Info("job is answered")
	}
	return nil
}

// atTheEnd is a context for the few requests at the end of a job, which a worker also makes when it has to stop.
func atTheEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// tryAgain puts the job back into the queue. If that fails, the server finds out by itself that nobody works on it.
func (d *delivery) tryAgain(delay time.Duration) {
	if err := d.msg.NakWithDelay(delay); err != nil {
		d.log.Error("job is not given back", "error", err)
	}
}

// giveBack puts the job back into the queue, for any other worker, at once.
func (d *delivery) giveBack() {
	d.log.Info("job is given back")
	d.tryAgain(0)
}

// reason words an error for those who wrote the script. It is bounded, since the script chooses its text.
func reason(err error) string {
	text := err.Error()
	var failure *hyperlight.Error
	if errors.As(err, &failure) {
		switch {
		case failure.Exception != nil:
			text = strings.TrimRight("Uncaught "+failure.Exception.Error()+"\n"+failure.Exception.Stack, "\n")
		case errors.Is(err, hyperlight.ErrOutputTooBig):
			text = fmt.Sprintf("the result is too big; at most it may have %d KiB", maxMessage>>10)
		case errors.Is(err, hyperlight.ErrOutOfMemory):
			text = "out of memory"
		case failure.Monitor == "context": // The pool's, when it loads a script; the worker's own is no failure.
			text = "stopped by its limit: the time of top-level code"
		case failure.Monitor != "":
			text = "stopped by its limit: " + failure.Monitor
		}
	}
	return shortened(text, 16<<10)
}

// shortened is the text's beginning, without half a character at the end.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " ..."
}
