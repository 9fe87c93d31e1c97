package hyperlight

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// DefaultPrintLimit is how many bytes of what a guest prints in one call are delivered: 1 MiB. Upstream has
// no limit.
const DefaultPrintLimit = 1 << 20

// PrintOption says what becomes of a guest's output: for all calls of a sandbox if given to [New], for one if
// given to [LoadedJSSandbox.HandleEvent]. It is an [Option], a [CallOption] and, as both, a [RunOption].
// Upstream decides once for each sandbox.
type PrintOption struct{ change func(*printing) }

func (o PrintOption) applyToSandbox(all *options)      { o.applyTo(&all.print) }
func (o PrintOption) applyToCall(call *callOptions)    { o.applyTo(&call.print) }
func (o PrintOption) applyToRun(run *runOptions)       { run.sandbox = append(run.sandbox, o) }
func (o PrintOption) applyToBatch(batch *batchOptions) { o.applyTo(&batch.print) }

func (o PrintOption) applyTo(p *printing) {
	if o.change != nil { // the zero value
		o.change(p)
	}
}

// WithPrint sends what the guest prints (console.log, print) to w, a line at a time and the rest at the end of
// the call; without it, it is dropped. The guest waits while w is written to, on a goroutine of this package; w must
// not use the sandbox that prints ([ErrReentrant]). Sandboxes that share w write to it at the same time. An
// error or a panic of w is dropped, as upstream drops those of its print functions.
//
// A line of more than 512 bytes leaves the guest in pieces, and upstream replaces a character that happens
// to lie across the border of two by U+FFFD, which nothing brings back. This package puts the pieces
// together again, up to lines of 64 KiB.
//
// A nil w drops the output, also for one call of a sandbox that prints elsewhere.
//
// Upstream: SandboxBuilder::with_host_print_fn, whose default is the process's standard output.
func WithPrint(w io.Writer) PrintOption {
	if w == nil {
		return WithPrintFunc(nil)
	}
	return WithPrintFunc(func(text string) { _, _ = io.WriteString(w, text) })
}

// WithPrintFunc is [WithPrint] for a function, which gets one or more whole lines, or the rest. Upstream:
// SandboxBuilder::with_host_print_fn.
func WithPrintFunc(print func(text string)) PrintOption {
	return PrintOption{func(p *printing) { p.write = print }}
}

// WithPrintLimit sets how many bytes of what the guest prints in one call are delivered;
// [DefaultPrintLimit] if not given. The rest is dropped, from a whole character on, and counted:
// [ExecutionStats].PrintDropped. Top-level code that Load runs counts as one call. 0 drops everything; below
// that is an [ErrInvalidArgument]. Upstream has no limit.
func WithPrintLimit(bytes int) PrintOption {
	return PrintOption{func(p *printing) { p.limit = bytes }}
}

// printing is where output goes, and how much of it.
type printing struct {
	write func(text string) // nil: nowhere
	limit int
}

func (p printing) check(op string) error {
	if p.limit < 0 {
		return invalidArgument(op, fmt.Sprintf("print limit is %d, below zero", p.limit))
	}
	return nil
}

// output collects what the guest prints in one call. Callbacks run while the call waits for them, so
// it is never used from two goroutines at a time.
type output struct {
	printing
	pending strings.Builder // what follows the last newline
	taken   int             // bytes that were or will be delivered
	dropped int             // bytes that were beyond the limit
}

// longestLine bounds what is held back to put a line together.
const longestLine = 64 << 10

func (o *output) take(text string) {
	if o.write == nil {
		return
	}
	text = o.within(text)
	o.taken += len(text)
	end := strings.LastIndexByte(text, '\n') + 1
	if end == 0 && o.pending.Len()+len(text) > longestLine {
		end = len(text)
	}
	lines := text[:end]
	if end > 0 && o.pending.Len() > 0 {
		o.pending.WriteString(lines)
		lines = o.pending.String()
		o.pending.Reset()
	}
	o.pending.WriteString(text[end:])
	if lines != "" {
		o.write(lines) // Last, since it may panic.
	}
}

// within cuts off what is beyond the limit, in front of a character that does not fit as a whole.
func (o *output) within(text string) string {
	room := o.limit - o.taken
	if o.dropped > 0 {
		room = 0
	}
	if len(text) <= room {
		return text
	}
	for room > 0 && !utf8.RuneStart(text[room]) {
		room--
	}
	o.dropped += len(text) - room
	return text[:room]
}

func (o *output) isPending() bool { return o.pending.Len() > 0 }

// flush delivers what follows the last newline.
func (o *output) flush() {
	if o.isPending() {
		o.write(o.pending.String())
	}
}
