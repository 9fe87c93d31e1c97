package hyperlight

import (
	"context"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// EventResult is what became of one event of [LoadedJSSandbox.HandleEvents]. Upstream: what handle_event returns.
type EventResult struct {
	// Result is JSON, and nil if there is an error.
	Result []byte
	// Err is an error of this event alone, as [LoadedJSSandbox.HandleEvent] would have returned it.
	Err error
}

// BatchOption configures one call of [LoadedJSSandbox.HandleEvents]. Every [CallOption] is one. Upstream has no
// batches.
type BatchOption interface{ applyToBatch(*batchOptions) }

type batchOptions struct {
	callOptions
	stopOnError   bool
	batchMonitors []Monitor
}

type batchOption func(*batchOptions)

func (o batchOption) applyToBatch(all *batchOptions) { o(all) }

// StopOnError has a batch end with the first event that fails; without it, the others follow. Upstream has no batches.
func StopOnError() BatchOption {
	return batchOption(func(o *batchOptions) { o.stopOnError = true })
}

// WithBatchMonitors lets monitors watch a batch as a whole, beside those of [WithMonitors], which watch each event from
// its own beginning. For a [WallClock] the time counts from the beginning of the batch, also between events; for a
// [CPUTime] what the batch's thread has used since; and a [Trigger] that was fired since stays fired for the batch, even
// if it is reset. What fires while an event runs stops it, which leaves the sandbox poisoned. What fires between two
// events keeps the next from being taken up, and the sandbox stays ready: [ErrCancelled] in either case.
//
// Given more than once, the monitors add up. There may be five of both kinds together. Upstream has no batches: its
// monitors get what is left with each event.
func WithBatchMonitors(monitors ...Monitor) BatchOption {
	return batchOption(func(o *batchOptions) { o.batchMonitors = append(o.batchMonitors, monitors...) })
}

// HandleEvents runs the handler called name with one event after the other, in one crossing to the native side, which
// saves most of what a call of [LoadedJSSandbox.HandleEvent] costs beside the guest's own work. Apart from that each
// event is handled as there. It finds the state of the handler's module as the one before it has left it, and no other
// call of the sandbox gets between the two. Upstream has no batches: LoadedJSSandbox::handle_event, in a loop.
//
// The result has one element for each event that was taken up, in order, whether it succeeded or failed. The error
// says what ended the batch; it is nil if there were no more events. A batch ends when an event leaves the sandbox
// poisoned, and with [StopOnError] when one fails: then the error is the last element's, also if that was the last
// event. It ends when ctx does, when [LoadedJSSandbox.Close] is called, and when a monitor of [WithBatchMonitors] fires:
// an event that runs is stopped, and the error is the last element's; between two events nothing is stopped, the
// sandbox stays ready, and the next event is the first that the result lacks.
//
// The options of HandleEvent hold for each event, with two exceptions: [WithStats] gives sums, and the output of all
// events is delivered, and limited by [WithPrintLimit], as that of one call. Events must not be changed during the call.
// Results are the caller's to keep, and share memory: one of them keeps all. They are held until the batch is over, and
// each may be as large as [WithOutputBufferSize] allows; so make batches only as large as your memory.
//
// # Errors
//
// In the result: those of [LoadedJSSandbox.HandleEvent].
//
// Returned: the last element's; [ErrCancelled], with the name of the monitor that fired between two events;
// [ErrClosed]; the error of ctx. If no event was taken up, also [ErrPoisoned], [ErrUnrecoverable], [ErrConsumed],
// [ErrReentrant], and [ErrInvalidArgument] for a name that is empty, has a NUL byte, is no UTF-8, or does not fit into
// the output buffer, a nil ctx, and options that do not hold.
func (s *LoadedJSSandbox) HandleEvents(ctx context.Context, name string, events [][]byte, opts ...BatchOption) ([]EventResult, error) {
	s = orZero(s)
	ctx, span := s.guest.startCallSpan(ctx, spanHandleEvents, name)
	results, err := s.handleEvents(ctx, name, events, opts, span)
	span.batch(len(events), results)
	return results, span.end(err)
}

func (s *LoadedJSSandbox) handleEvents(ctx context.Context, name string, events [][]byte, opts []BatchOption, span span) ([]EventResult, error) {
	const op = "HandleEvents"
	o := batchOptions{callOptions: callOptions{gc: true, print: s.guest.printing()}}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalidArgument(op, "an option is nil")
		}
		opt.applyToBatch(&o)
	}
	if o.stats != nil {
		*o.stats = ExecutionStats{}
	}
	if err := o.check(op); err != nil {
		return nil, err
	}
	span.call(&o.callOptions)
	defer runtime.KeepAlive(s)
	s.slice.yieldIfLong()
	if err := s.h.enter(ctx, op); err != nil {
		return nil, err
	}
	defer s.h.leave()
	all := append(o.monitors, o.batchMonitors...)
	monitors, err := openMonitors(op, all)
	if err != nil {
		return nil, err
	}
	defer closeMonitors(all, monitors)
	call := s.guest.enter(ctx, o.print)
	call.batch = s.h.native
	each := len(o.monitors)
	batch, nativeErr := s.runEvents(name, events, o.gc, o.stopOnError, monitors[:each], monitors[each:], &call.guard)
	defer capi.BatchFree(batch)
	taken := takenEvents{}
	if nativeErr == nil {
		taken.texts, taken.failures, taken.end = capi.BatchResults(batch)
	}
	if nativeErr != nil || taken.end != nil {
		s.readStatus() // An event that does not end the batch leaves it as it was. What follows may panic: ctx, the tracer.
	}
	s.guest.leave(call)
	if nativeErr != nil {
		return nil, nativeError(op, nativeErr)
	}
	s.accountBatch(&o, call, batch, span)
	results, err := call.eventResults(op, taken)
	span.after(s)
	return results, err
}

// runEvents runs a handler on the guest's thread, with many events.
func (s *LoadedJSSandbox) runEvents(name string, events [][]byte, gc, stopOnError bool, each, all []capi.Monitor, guard *capi.Guard) (capi.Batch, *capi.Error) {
	loaded, context := s.h.native, s.guest.stopper.native
	if s.guest.home.isHere() {
		return capi.LoadedSandboxHandleEvents(loaded, name, events, gc, stopOnError, each, all, context, guard)
	}
	return runThere(&s.guest.home, func() (capi.Batch, *capi.Error) {
		return capi.LoadedSandboxHandleEvents(loaded, name, events, gc, stopOnError, each, all, context, guard)
	})
}

// accountBatch notes what a batch took, for whom it may concern.
func (s *LoadedJSSandbox) accountBatch(o *batchOptions, call *guestCall, batch capi.Batch, span span) {
	if dropped := call.output.dropped; dropped > 0 {
		_, calls := s.readStats(s.h.native)
		s.cut.Store(&cutOutput{calls, dropped})
	}
	if !o.wantsStats && !span.records() {
		return
	}
	stats := statsOf(capi.BatchStats(batch))
	stats.PrintDropped = call.output.dropped
	if o.wantsStats {
		*o.stats = stats
	}
	if stats.WallClock > 0 { // Some event counts.
		span.took(stats)
	}
}

// takenEvents are the events of a batch that were taken up: each has a text or a failure. end is what ended the batch, if
// anything did.
type takenEvents struct {
	texts    [][]byte
	failures []*capi.Error // nil if there are none
	end      *capi.Error
}

// eventResults says what became of each event, and what ended the batch, if anything did.
func (c *guestCall) eventResults(op string, taken takenEvents) ([]EventResult, error) {
	results := make([]EventResult, len(taken.texts))
	for i, text := range taken.texts {
		if taken.failures == nil || taken.failures[i] == nil {
			results[i].Result = text
			continue
		}
		results[i].Err = c.explainEvent(op, taken.failures[i], uint64(i))
		if taken.failures[i] == taken.end {
			return results, results[i].Err
		}
	}
	err := c.explain(op, taken.end)
	if e, ok := err.(*Error); ok && e.Code == CodeContextDone {
		e.Message = "no more events were taken up: " + e.cause.Error()
	}
	return results, err
}
