//go:build linux && amd64

package hyperlight_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// logBook is a handler that keeps what it gets.
type logBook struct {
	mu      sync.Mutex
	records []slog.Record
	before  func() // called for each record
}

func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logBook) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b *logBook) WithGroup(string) slog.Handler            { return b }

func (b *logBook) Handle(_ context.Context, record slog.Record) error {
	if b.before != nil {
		b.before()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, record)
	return nil
}

// all are the records with a message so far.
func (b *logBook) all(message string) (found []slog.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, record := range b.records {
		if record.Message == message {
			found = append(found, record)
		}
	}
	return found
}

func attribute(record slog.Record, key string) (value any) {
	record.Attrs(func(attr slog.Attr) bool {
		if attr.Key == key {
			value = attr.Value.Any()
		}
		return value == nil
	})
	return value
}

// forward starts to keep logs; the function that it returns waits until all are kept.
func forward(t *testing.T, opts ...hyperlight.LogOption) (*logBook, *hyperlight.LogForwarder, func()) {
	t.Helper()
	book := &logBook{}
	forwarder, err := hyperlight.ForwardLogs(slog.New(book), opts...)
	require.NoError(t, err)
	stop := func() { require.NoError(t, forwarder.Stop(context.Background())) }
	t.Cleanup(stop)
	return book, forwarder, stop
}

const thrower = `function handler(event) { throw new Error(event); }`

func throw(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string) {
	t.Helper()
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
}

func TestForwardLogs(t *testing.T) {
	loaded := loadHandler(t, thrower)
	throw(t, loaded, `"before"`)
	book, forwarder, stop := forward(t)
	began := time.Now()
	throw(t, loaded, `"quote \" newline \n NUL \u0000 escape \u001b[31m"`)
	stop()
	throw(t, loaded, `"after"`)
	stop()

	failures := book.all("failed")
	assert.Len(t, book.records, len(failures), "nothing but errors, and no spans")
	// The same failure comes twice, on its way through two crates.
	require.Len(t, failures, 2)
	for i, target := range []string{"hyperlight_host::sandbox::initialized_multi_use", "hyperlight_js::sandbox::loaded_js_sandbox"} {
		record := failures[i]
		assert.Equal(t, slog.LevelError, record.Level)
		assert.WithinDuration(t, began, record.Time, time.Minute)
		assert.Equal(t, target, attribute(record, "target"))
		assert.Contains(t, attribute(record, "error"), "GuestError(GuestError, \"Error: Runtime error: Exception(")
		assert.Contains(t, attribute(record, "error"), "escape", "what the guest says is text")
		assert.Nil(t, attribute(record, "parent_id"))
	}
	assert.Zero(t, forwarder.Dropped())
	require.ErrorIs(t, forwarder.SetLevel(slog.LevelInfo), hyperlight.ErrClosed)
}

func TestForwardSpans(t *testing.T) {
	book, forwarder, stop := forward(t, hyperlight.WithLogLevel(slog.LevelInfo), hyperlight.WithSpans(true))
	loaded := loadHandler(t, thrower)
	throw(t, loaded, `1`)
	require.NoError(t, forwarder.SetLevel(slog.LevelError+1))
	throw(t, loaded, `2`)
	require.NoError(t, forwarder.SetLevel(slog.LevelInfo))
	throw(t, loaded, `3`)
	stop()

	calls := book.all("handle_event")
	require.Len(t, calls, 2, "one call was made while the level was above all")
	for _, span := range calls {
		assert.Equal(t, slog.LevelInfo, span.Level)
		assert.Equal(t, "hyperlight_js::sandbox::loaded_js_sandbox", attribute(span, "target"))
		assert.Equal(t, `"handler"`, attribute(span, "func_name"))
		assert.Greater(t, attribute(span, "duration"), 10*time.Microsecond)
		number := attribute(span, "span_id").(uint64)
		assert.True(t, slices.ContainsFunc(book.all("failed"), func(failure slog.Record) bool {
			return attribute(failure, "parent_id") == number
		}), "the failure happened in there")
	}
	boots := book.all("load_runtime")
	require.Len(t, boots, 1)
	assert.Greater(t, attribute(boots[0], "duration"), time.Millisecond)
	assert.NotEmpty(t, book.all("new"))
}

// Levels are ordered, and the more there is to tell the more comes.
func TestLogLevelsInOrder(t *testing.T) {
	before := -1
	for _, level := range []slog.Level{slog.LevelError + 1, slog.LevelError, slog.LevelInfo, slog.LevelDebug, hyperlight.LevelTrace} {
		book, _, stop := forward(t, hyperlight.WithLogLevel(level), hyperlight.WithSpans(true), hyperlight.WithLogCapacity(1<<20))
		throw(t, loadHandler(t, thrower), `1`)
		stop()
		for _, record := range book.records {
			assert.GreaterOrEqual(t, record.Level, level)
		}
		assert.Greater(t, len(book.records), before, level)
		before = len(book.records)
	}
}

func TestOneLogForwarderAtATime(t *testing.T) {
	logger := slog.New(&logBook{})
	_, _, stop := forward(t)
	_, err := hyperlight.ForwardLogs(logger)
	require.ErrorIs(t, err, hyperlight.ErrLogsRunning)
	assert.EqualError(t, err, "hyperlight: ForwardLogs: logs are being forwarded already (stop the other LogForwarder first)")
	stop()
	for range 3 {
		_, _, stop := forward(t)
		stop()
	}
}

// A logger that hangs costs records, and bounds nobody but who waits for it.
func TestForwardLogsToASlowHandler(t *testing.T) {
	const failures = 20 // two records each
	loaded := loadHandler(t, thrower)
	entered, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	book := &logBook{before: func() {
		first.Do(func() { close(entered) })
		<-release
	}}
	forwarder, err := hyperlight.ForwardLogs(slog.New(book), hyperlight.WithLogCapacity(3))
	require.NoError(t, err)
	for range failures {
		throw(t, loaded, `1`)
		<-entered // From now on the handler hangs.
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err = forwarder.Stop(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "hyperlight: Stop: records are still being delivered")
	_, err = hyperlight.ForwardLogs(slog.New(book))
	require.ErrorIs(t, err, hyperlight.ErrLogsRunning, "the old one is still at it")

	close(release)
	require.NoError(t, forwarder.Stop(context.Background()))
	assert.Positive(t, forwarder.Dropped())
	assert.EqualValues(t, 2*failures, uint64(len(book.all("failed")))+forwarder.Dropped(), "nothing is lost uncounted")
	reports := book.all("hyperlight: log records were dropped")
	require.NotEmpty(t, reports)
	assert.Equal(t, slog.LevelWarn, reports[0].Level)
	last := book.records[len(book.records)-1]
	assert.Equal(t, "hyperlight: log records were dropped", last.Message, "the end is what had no room")
}

func TestForwardLogsToAPanickingHandler(t *testing.T) {
	loaded := loadHandler(t, thrower)
	book := &logBook{}
	count := 0
	book.before = func() {
		if count++; count%2 == 1 {
			panic("no")
		}
	}
	forwarder, err := hyperlight.ForwardLogs(slog.New(book))
	require.NoError(t, err)
	for range 3 {
		throw(t, loaded, `1`)
	}
	require.NoError(t, forwarder.Stop(t.Context()))
	assert.Equal(t, 6, count)
	assert.Len(t, book.records, 3)
}

func TestLongLogTextsAreCut(t *testing.T) {
	loaded := loadHandler(t, `function handler(n) { throw new Error("ä".repeat(n)); }`)
	book, _, stop := forward(t)
	throw(t, loaded, `100000`)
	stop()
	for _, record := range book.all("failed") {
		text := attribute(record, "error").(string)
		assert.True(t, strings.HasSuffix(text, " [cut]"))
		assert.InDelta(t, 64<<10, len(text), 10)
		assert.Equal(t, text, strings.ToValidUTF8(text, "?"), "no character is torn")
	}
}

func TestForwardLogsRefuses(t *testing.T) {
	logger := slog.New(&logBook{})
	for name, start := range map[string]func() (*hyperlight.LogForwarder, error){
		"logger is nil":            func() (*hyperlight.LogForwarder, error) { return hyperlight.ForwardLogs(nil) },
		"an option is nil":         func() (*hyperlight.LogForwarder, error) { return hyperlight.ForwardLogs(logger, nil) },
		"capacity is 0, not from":  withCapacity(logger, 0),
		"capacity is -1, out of":   withCapacity(logger, -1),
		"capacity is 1048577, not": withCapacity(logger, 1<<20+1),
		"capacity is 4294967297,":  withCapacity(logger, 1<<32+1),
	} {
		forwarder, err := start()
		require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		assert.ErrorContains(t, err, "hyperlight: ForwardLogs: "+name)
		assert.Nil(t, forwarder)
	}
	_, forwarder, _ := forward(t)
	var none context.Context
	require.ErrorIs(t, forwarder.Stop(none), hyperlight.ErrInvalidArgument)
}

func withCapacity(logger *slog.Logger, capacity int) func() (*hyperlight.LogForwarder, error) {
	return func() (*hyperlight.LogForwarder, error) {
		return hyperlight.ForwardLogs(logger, hyperlight.WithLogCapacity(capacity))
	}
}

// Upstream reads RUST_LOG when it boots a guest. What Go sets reaches it; the case runs in a process of
// its own, whose environment it changes.
func TestGuestLogs(t *testing.T) {
	const child = "HYPERLIGHT_TEST_GUEST_LOGS"
	if os.Getenv(child) != "" {
		testGuestLogs(t)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^TestGuestLogs$", "-test.v")
	command.Env = append(os.Environ(), child+"=1", "RUST_LOG=")
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "--- PASS: TestGuestLogs")
}

func testGuestLogs(t *testing.T) {
	guestRecords := func() (found []slog.Record) {
		book, _, stop := forward(t, hyperlight.WithLogLevel(slog.LevelDebug))
		call(t, loadHandler(t, counter), `{}`)
		stop()
		for _, record := range book.records {
			if attribute(record, "target") == "hyperlight_guest" {
				found = append(found, record)
			}
		}
		return found
	}
	assert.Empty(t, guestRecords(), "guests log errors only")
	require.NoError(t, os.Setenv("RUST_LOG", "error,hyperlight_guest=info"))
	records := guestRecords()
	require.NotEmpty(t, records)
	for _, record := range records {
		assert.Equal(t, slog.LevelInfo, record.Level)
		assert.NotEmpty(t, record.Message)
		assert.NotEmpty(t, attribute(record, "guest_file"))
		assert.NotEmpty(t, attribute(record, "guest_module"))
		assert.Greater(t, attribute(record, "guest_line"), int64(0))
	}
	require.NoError(t, os.Unsetenv("RUST_LOG"))
	assert.Empty(t, guestRecords())
}

// The first monitored call of a process starts upstream's threads, by a call that fails on purpose. Its error is
// nobody's. The case runs in a process of its own, whose first such call it makes.
func TestNoErrorOfAMonitorsStartIsLogged(t *testing.T) {
	const child = "HYPERLIGHT_TEST_MONITORS_START"
	if os.Getenv(child) == "" {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), child+"=1")
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		require.Contains(t, string(output), "--- PASS: "+t.Name())
		return
	}
	loaded := loadHandler(t, counter)
	book, _, stop := forward(t)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithMonitors(hyperlight.WallClock(time.Hour)))
	require.NoError(t, err)
	stop()
	assert.Empty(t, book.records)
}
