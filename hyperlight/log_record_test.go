package hyperlight

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"runtime"
	"strconv"
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

// What is read is what encoding/json reads, fields keep their order and every digit, and any handler takes it.
func FuzzParseLogs(f *testing.F) {
	for _, text := range []string{
		``, `[]`, `null`, `{}`, `[{"kind":"lost","count":1}]`, `[{"kind":"lost","count":-1}]`,
		`[{"kind":"event","time":1,"level":1,"target":"t","message":"m","fields":[["a",1],["b","x"]],"parent":1}]`,
		`[{"kind":"span","duration":-1,"span":18446744073709551615,"fields":[["a",true],["a",false],["",1e400]]}]`,
		`[{"time":-9223372036854775808,"level":4294967295,"fields":[["big",18446744073709551615],["small",-9223372036854775808],["f",0.1]]}]`,
		`[{"fields":[["x",null]]}]`, `[{"fields":[["x",{}]]}]`, `[{"fields":["x"]}]`, `[{"fields":[[1,2]]}]`, `[{"fields":[["a","b","c"]]}]`, `[{"fields":[[]]}]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := parseLogs(text)
		if err != nil || len(text) == 0 {
			return
		}
		var plain []struct {
			Target, Message string
			Fields          [][]json.RawMessage
		}
		require.NoError(t, json.Unmarshal(text, &plain))
		require.Len(t, records, len(plain))
		k := &keeper{least: LevelTrace}
		(&LogForwarder{handler: k}).deliver(records)
		require.Len(t, k.records, len(records))
		handler := slog.NewJSONHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: LevelTrace})
		for i, record := range records {
			require.Equal(t, plain[i].Target, record.Target)
			require.Equal(t, plain[i].Message, record.Message)
			require.Len(t, record.Fields, len(plain[i].Fields))
			for j, field := range record.Fields {
				checkField(t, field, plain[i].Fields[j])
			}
			require.NotEmpty(t, k.records[i].Message)
			_ = handler.Handle(t.Context(), k.records[i])
		}
	})
}

// checkField compares a field with the pair that it was.
func checkField(t *testing.T, field logField, pair []json.RawMessage) {
	t.Helper()
	if len(pair) > 0 && pair[0][0] == '"' {
		var key string
		require.NoError(t, json.Unmarshal(pair[0], &key))
		require.Equal(t, key, field.Key)
	}
	require.Greater(t, len(pair), 1, "a field without a value")
	switch field.Value.Kind() {
	case slog.KindString:
		var text string
		require.NoError(t, json.Unmarshal(pair[1], &text))
		require.Equal(t, text, field.Value.String())
	case slog.KindFloat64:
		number, _ := strconv.ParseFloat(string(pair[1]), 64)
		require.Equal(t, number, field.Value.Float64())
	default:
		if string(pair[1]) != "-0" {
			require.Equal(t, string(pair[1]), field.Value.String())
		}
	}
}
