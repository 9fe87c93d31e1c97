package hyperlight

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// LevelTrace is the level of upstream's most detailed records, which slog has no name for.
const LevelTrace = slog.LevelDebug - 4

// DefaultLogCapacity is how many log records wait at most to be delivered. Upstream has no such queue.
const DefaultLogCapacity = 4096

// LogForwarder delivers what upstream logs to a logger; see [ForwardLogs], which makes it. Its methods may
// be called from any goroutine.
type LogForwarder struct {
	handler slog.Handler
	done    chan struct{} // closed when all records were delivered
	dropped atomic.Uint64

	mu      sync.Mutex
	stopped bool
}

// LogOption configures [ForwardLogs]; later ones win. Upstream: settings of a tracing subscriber.
type LogOption func(*logOptions)

type logOptions struct {
	level    slog.Level
	capacity int
	spans    bool
}

// WithLogLevel sets the least important level that is forwarded; slog.LevelWarn if not given. With
// slog.LevelInfo come the steps in the life of a sandbox, with slog.LevelDebug and [LevelTrace] more
// than you want to read. Above slog.LevelError nothing is forwarded. Upstream: tracing's LevelFilter.
func WithLogLevel(level slog.Level) LogOption {
	return func(o *logOptions) { o.level = level }
}

// WithLogCapacity sets how many records wait at most to be delivered, from 1 to 1,048,576;
// [DefaultLogCapacity] if not given. Nor do more than 16 MiB of text wait. Upstream has no such queue.
func WithLogCapacity(records int) LogOption {
	return func(o *logOptions) { o.capacity = records }
}

// WithSpans says whether spans are forwarded too; they are not if this is not given. A span is a
// piece of upstream's work, like one handle_event. Upstream's are at slog.LevelInfo and below; with them
// the smallest call costs more than three times as much. OpenTelemetry's are made by [WithTracerProvider].
func WithSpans(spans bool) LogOption {
	return func(o *logOptions) { o.spans = spans }
}

// forwarding is the forwarder that runs, or ran last.
var forwarding struct {
	mu     sync.Mutex
	latest *LogForwarder
}

// ForwardLogs sends what upstream logs to logger's handler, for all sandboxes of this process, until
// [LogForwarder.Stop], which a program calls before it ends, lest the last records be lost. There can be
// one forwarder at a time. Without one nothing is collected, and nothing is paid for. It loads the
// native library as [New] does. Upstream: a subscriber for the Rust crate tracing, which a Rust program
// chooses and installs itself.
//
// Records keep their time, level (TRACE is [LevelTrace]) and message; one that has an error and no
// message says "failed". Their attributes:
//
//   - target: the Rust module that logged, like hyperlight_js::sandbox::loaded_js_sandbox, or
//     hyperlight_guest for what a guest logged;
//   - upstream's fields under upstream's names, as bool, int64, uint64, float64 or string;
//   - duration and span_id for a span, whose message is its name, and which comes when it ends;
//   - parent_id for what happened inside a span, if spans are forwarded: that span's span_id.
//
// These spans and their ids are upstream's own, and not OpenTelemetry's ([WithTracerProvider]): nothing in a record
// tells which call in Go it belongs to, or which trace, and so the context that it is delivered with has none.
//
// Guests never wait for the logger: records wait in native memory, and one goroutine of this package
// delivers them in order, with context.Background(). What finds no room is dropped, and a record with
// the attribute dropped, their number, comes in their place at slog.LevelWarn. A handler may block or
// panic.
//
// Upstream logs every failure in full at slog.LevelError, JavaScript exceptions among them, and the
// same one more than once on its way up. Texts may come from guests: treat them as data. A record's are
// cut off at 64 KiB in all, with " [cut]" at the end.
//
// What a guest itself logs is up to the environment variable RUST_LOG, which upstream reads in
// [ProtoJSSandbox.LoadRuntime]: "hyperlight_guest=debug", or "debug" for everything; errors only if it is
// not set. The level here comes on top. os.Setenv reaches native code, with and without cgo, but not
// safely while another goroutine is in native code: set it before the first New.
//
// # Errors
//
// [ErrInvalidArgument] for a nil logger or a capacity out of range; [ErrLogsRunning] until an earlier
// forwarder has stopped and has delivered everything; the errors of [Library].
func ForwardLogs(logger *slog.Logger, opts ...LogOption) (*LogForwarder, error) {
	const op = "ForwardLogs"
	if logger == nil {
		return nil, invalidArgument(op, "logger is nil")
	}
	o := logOptions{level: slog.LevelWarn, capacity: DefaultLogCapacity}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalidArgument(op, "an option is nil")
		}
		opt(&o)
	}
	if o.capacity < 0 || o.capacity > math.MaxUint32 {
		return nil, invalidArgument(op, fmt.Sprintf("capacity is %d, out of range", o.capacity))
	}
	if _, err := loadLibrary(op); err != nil {
		return nil, err
	}
	forwarding.mu.Lock()
	defer forwarding.mu.Unlock()
	if latest := forwarding.latest; latest != nil && !latest.isDone() {
		return nil, &Error{Op: op, Code: CodeLogsRunning, Message: "logs are being forwarded already"}
	}
	if err := capi.LogsStart(nativeLevel(o.level), o.spans, uint32(o.capacity)); err != nil {
		return nil, nativeError(op, err)
	}
	f := &LogForwarder{handler: logger.Handler(), done: make(chan struct{})}
	forwarding.latest = f
	go f.run()
	return f, nil
}

// SetLevel changes what [WithLogLevel] has set, from the next record that upstream makes on.
//
// # Errors
//
// [ErrClosed] after Stop.
func (f *LogForwarder) SetLevel(level slog.Level) error {
	const op = "SetLevel"
	if f == nil || f.done == nil {
		return zeroForwarder(op)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return &Error{Op: op, Code: CodeClosed, Message: "the log forwarder is stopped"}
	}
	return nativeError(op, capi.LogsSetLevel(nativeLevel(level)))
}

// Dropped is how many of upstream's records have found no room so far, as far as that has been delivered.
func (f *LogForwarder) Dropped() uint64 {
	if f == nil {
		return 0
	}
	return f.dropped.Load()
}

// Stop ends the forwarding, and waits until everything that upstream has logged before is delivered. It may
// be called more than once. The logger's handler must not wait for it.
//
// # Errors
//
// The error of ctx if that ends first: nothing new is forwarded then, but what waits is still delivered.
// [ErrInvalidArgument] for a nil ctx.
func (f *LogForwarder) Stop(ctx context.Context) error {
	const op = "Stop"
	if f == nil || f.done == nil {
		return zeroForwarder(op)
	}
	if ctx == nil {
		return invalidArgument(op, "ctx is nil; pass context.Background()")
	}
	if err := f.stop(); err != nil {
		return nativeError(op, err)
	}
	if f.isDone() {
		return nil
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		cause := ctx.Err()
		message := "records are still being delivered: " + cause.Error()
		return &Error{Op: op, Code: CodeContextDone, Message: message, cause: cause}
	}
}

func (f *LogForwarder) stop() *capi.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil
	}
	err := capi.LogsStop()
	f.stopped = err == nil
	return err
}

func (f *LogForwarder) isDone() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// run delivers records until the end.
func (f *LogForwarder) run() {
	defer close(f.done)
	for {
		text, nativeErr := capi.LogsNext(math.MaxUint64)
		if nativeErr != nil {
			return // Stopped, and everything is delivered.
		}
		records, err := parseLogs(text)
		if err != nil {
			continue // Not JSON: a bug of the library, for which nobody's logs should end.
		}
		f.deliver(records)
	}
}

// deliver hands records to the logger. One that makes its handler panic, or end its goroutine, is lost.
func (f *LogForwarder) deliver(records []logRecord) {
	for len(records) > 0 {
		capi.GuardedApart(func() {
			for len(records) > 0 {
				record := records[0]
				records = records[1:]
				f.dropped.Add(record.Count)
				record.handle(f.handler)
			}
		})
	}
}

func zeroForwarder(op string) error {
	return &Error{Op: op, Code: CodeClosed, Message: "this is a zero value, or nil; ForwardLogs makes usable ones"}
}
