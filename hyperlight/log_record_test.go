package hyperlight

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// keeper is a handler that keeps records, and calls a function for each.
type keeper struct {
	least   slog.Level
	records []slog.Record
	each    func(slog.Record)
}

func (k *keeper) Enabled(_ context.Context, level slog.Level) bool { return level >= k.least }
func (k *keeper) WithAttrs([]slog.Attr) slog.Handler               { return k }
func (k *keeper) WithGroup(string) slog.Handler                    { return k }

func (k *keeper) Handle(_ context.Context, record slog.Record) error {
	k.records = append(k.records, record)
	if k.each != nil {
		k.each(record)
	}
	return errors.New("nobody listens")
}

func attributes(record slog.Record) map[string]any {
	all := map[string]any{}
	record.Attrs(func(attr slog.Attr) bool {
		all[attr.Key] = attr.Value.Any()
		return true
	})
	return all
}

func deliverText(t *testing.T, k *keeper, text string) *LogForwarder {
	t.Helper()
	records, err := parseLogs([]byte(text))
	require.NoError(t, err)
	f := &LogForwarder{handler: k}
	f.deliver(records)
	return f
}

func TestLogRecordsBecomeSlogs(t *testing.T) {
	k := &keeper{least: LevelTrace}
	f := deliverText(t, k, `[
		{"kind": "event", "time": 1700000000000000001, "level": 2, "target": "a::b", "message": "hello", "parent": 6,
		 "fields": [["yes", true], ["no", false], ["small", -9223372036854775808], ["big", 18446744073709551615],
		            ["half", 0.5], ["one", 1.0], ["text", "a\nb"]]},
		{"kind": "lost", "count": 18446744073709551615},
		{"kind": "span", "time": 5, "level": 5, "target": "c", "message": "work", "fields": [], "span": 7, "parent": 6, "duration": 1500},
		{"kind": "event", "time": 5, "level": 1, "target": "c", "message": "", "fields": [["error", "bad"]]}
	]`)
	require.Len(t, k.records, 4)
	event, lost, span, failed := k.records[0], k.records[1], k.records[2], k.records[3]

	assert.Equal(t, "hello", event.Message)
	assert.Equal(t, slog.LevelWarn, event.Level)
	assert.Equal(t, int64(1700000000000000001), event.Time.UnixNano())
	assert.Equal(t, map[string]any{
		"target": "a::b", "parent_id": uint64(6), "yes": true, "no": false, "small": int64(math.MinInt64),
		"big": uint64(math.MaxUint64), "half": 0.5, "one": 1.0, "text": "a\nb",
	}, attributes(event))

	assert.Equal(t, "hyperlight: log records were dropped", lost.Message)
	assert.Equal(t, slog.LevelWarn, lost.Level)
	assert.Equal(t, map[string]any{"dropped": uint64(math.MaxUint64)}, attributes(lost))
	assert.EqualValues(t, uint64(math.MaxUint64), f.Dropped())

	assert.Equal(t, "work", span.Message)
	assert.Equal(t, LevelTrace, span.Level)
	assert.Equal(t, map[string]any{
		"target": "c", "duration": 1500 * time.Nanosecond, "span_id": uint64(7), "parent_id": uint64(6),
	}, attributes(span))

	assert.Equal(t, "failed", failed.Message)
	assert.Equal(t, map[string]any{"target": "c", "error": "bad"}, attributes(failed))
}

func TestLogRecordsThatNobodyWants(t *testing.T) {
	k := &keeper{least: slog.LevelError}
	f := deliverText(t, k, `[{"kind": "lost", "count": 3}, {"kind": "event", "level": 2, "fields": []}, {"kind": "event", "level": 1, "fields": []}]`)
	assert.Len(t, k.records, 1)
	assert.EqualValues(t, 3, f.Dropped(), "counted all the same")
}

// A handler is the user's code: it costs at most the record that it fails at.
func TestLogHandlersThatMisbehave(t *testing.T) {
	const three = `[{"kind": "event", "message": "1"}, {"kind": "event", "message": "2"}, {"kind": "event", "message": "3"}]`
	for name, each := range map[string]func(slog.Record){
		"panic":  func(slog.Record) { panic("no") },
		"Goexit": func(slog.Record) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			k := &keeper{least: LevelTrace, each: each}
			deliverText(t, k, three)
			assert.Len(t, k.records, 3)
		})
	}
}

func TestLogLevels(t *testing.T) {
	for level, native := range map[slog.Level]capi.LogLevel{
		math.MinInt: capi.LogLevelTrace, LevelTrace: capi.LogLevelTrace,
		LevelTrace + 1: capi.LogLevelDebug, slog.LevelDebug: capi.LogLevelDebug,
		slog.LevelInfo: capi.LogLevelInfo, slog.LevelInfo + 1: capi.LogLevelWarn,
		slog.LevelWarn: capi.LogLevelWarn, slog.LevelError: capi.LogLevelError,
		slog.LevelError + 1: capi.LogLevelOff, math.MaxInt: capi.LogLevelOff,
	} {
		assert.Equal(t, uint32(native), nativeLevel(level), level)
	}
}

func TestLogsThatAreNotAsDocumented(t *testing.T) {
	records, err := parseLogs(nil)
	require.NoError(t, err)
	assert.Empty(t, records)
	for _, text := range []string{"{", `{}`, `[{"fields": [["x", null]]}]`, `[{"fields": [["x", {}]]}]`, `[{"fields": ["x"]}]`} {
		_, err := parseLogs([]byte(text))
		require.Error(t, err, text)
	}
}

func TestZeroLogForwarder(t *testing.T) {
	for _, f := range []*LogForwarder{nil, {}} {
		require.ErrorIs(t, f.SetLevel(slog.LevelInfo), ErrClosed)
		require.ErrorIs(t, f.Stop(t.Context()), ErrClosed)
	}
}

func FuzzParseLogs(f *testing.F) {
	f.Add([]byte(`[{"kind":"event","time":1,"level":1,"target":"t","message":"m","fields":[["a",1],["b","x"]],"parent":1}]`))
	f.Add([]byte(`[{"kind":"lost","count":1}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := parseLogs(text)
		if err != nil {
			return
		}
		handler := slog.NewTextHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: LevelTrace})
		for _, record := range records {
			_ = handler.Handle(t.Context(), record.slog())
		}
	})
}
