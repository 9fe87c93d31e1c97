package hyperlight

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// logRecord is a record as hljs_logs_next documents it.
type logRecord struct {
	Kind     string        `json:"kind"`
	Time     int64         `json:"time"`
	Level    capi.LogLevel `json:"level"`
	Target   string        `json:"target"`
	Message  string        `json:"message"`
	Fields   []logField    `json:"fields"`
	Span     uint64        `json:"span"`
	Parent   uint64        `json:"parent"`
	Duration time.Duration `json:"duration"`
	Count    uint64        `json:"count"`
}

// logField is an attribute, in JSON a pair of name and value.
type logField slog.Attr

func parseLogs(text []byte) (records []logRecord, err error) {
	if len(text) > 0 {
		err = json.Unmarshal(text, &records)
	}
	return records, err
}

// UnmarshalJSON keeps integers exact.
func (f *logField) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var pair [2]any
	if err := decoder.Decode(&pair); err != nil {
		return err
	}
	f.Key, _ = pair[0].(string)
	switch value := pair[1].(type) {
	case string:
		f.Value = slog.StringValue(value)
	case bool:
		f.Value = slog.BoolValue(value)
	case json.Number:
		f.Value = numberValue(value.String())
	default:
		return fmt.Errorf("field %s is %T", f.Key, value)
	}
	return nil
}

func numberValue(text string) slog.Value {
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return slog.Int64Value(number)
	}
	if number, err := strconv.ParseUint(text, 10, 64); err == nil {
		return slog.Uint64Value(number)
	}
	number, _ := strconv.ParseFloat(text, 64) // JSON numbers are numbers.
	return slog.Float64Value(number)
}

// handle gives the record to a handler that wants it.
func (r *logRecord) handle(handler slog.Handler) {
	ctx := context.Background()
	if !handler.Enabled(ctx, r.level()) {
		return
	}
	_ = handler.Handle(ctx, r.slog()) // As slog.Logger does with a handler's error.
}

func (r *logRecord) level() slog.Level {
	if r.Kind == "lost" {
		return slog.LevelWarn
	}
	return goLevel(r.Level)
}

// slog is the record as ForwardLogs documents it.
func (r *logRecord) slog() slog.Record {
	if r.Kind == "lost" {
		record := slog.NewRecord(time.Now(), r.level(), "hyperlight: log records were dropped", 0)
		record.AddAttrs(slog.Uint64("dropped", r.Count))
		return record
	}
	message := r.Message
	if message == "" {
		message = "failed" // What upstream logs when a function returns an error has no message.
	}
	record := slog.NewRecord(time.Unix(0, r.Time), r.level(), message, 0)
	record.AddAttrs(slog.String("target", r.Target))
	for _, field := range r.Fields {
		record.AddAttrs(slog.Attr(field))
	}
	if r.Kind == "span" {
		record.AddAttrs(slog.Duration("duration", r.Duration), slog.Uint64("span_id", r.Span))
	}
	if r.Parent != 0 {
		record.AddAttrs(slog.Uint64("parent_id", r.Parent))
	}
	return record
}

// goLevel is slog's name for upstream's level.
func goLevel(level capi.LogLevel) slog.Level {
	switch level {
	case capi.LogLevelError:
		return slog.LevelError
	case capi.LogLevelWarn:
		return slog.LevelWarn
	case capi.LogLevelInfo:
		return slog.LevelInfo
	case capi.LogLevelDebug:
		return slog.LevelDebug
	default:
		return LevelTrace
	}
}

// nativeLevel is upstream's most detailed level that is not below slog's.
func nativeLevel(level slog.Level) uint32 {
	for native := capi.LogLevelTrace; native > capi.LogLevelOff; native-- {
		if goLevel(native) >= level {
			return uint32(native)
		}
	}
	return uint32(capi.LogLevelOff)
}
