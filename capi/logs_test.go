//go:build linux && amd64

package capi

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// remainingLogs reads what is left after a stop.
func remainingLogs(t *testing.T) (records []map[string]any) {
	t.Helper()
	for {
		text, err := LogsNext(math.MaxUint64)
		if err != nil {
			requireError(t, err, CodeLogsStopped, "logs are not being collected")
			return records
		}
		var batch []map[string]any
		require.NoError(t, json.Unmarshal(text, &batch), "%s", text)
		records = append(records, batch...)
	}
}

// buildOnce makes upstream log: whether it works depends on the hypervisor, but it is a span in any case.
func buildOnce(t *testing.T) {
	t.Helper()
	builder := newBuilder(t)
	proto, _ := BuilderBuild(builder)
	ProtoSandboxFree(proto)
}

func TestLogs(t *testing.T) {
	loadLibrary(t)
	assert.Empty(t, remainingLogs(t))
	requireError(t, LogsSetLevel(uint32(LogLevelInfo)), CodeLogsStopped, "logs are not being collected")

	buildOnce(t)
	requireOK(t, LogsStart(uint32(LogLevelInfo), true, 1000))
	requireError(t, LogsStart(uint32(LogLevelInfo), true, 1000), CodeLogsRunning, "logs are being collected already")
	began := time.Now()
	buildOnce(t)
	requireOK(t, LogsSetLevel(uint32(LogLevelOff)))
	buildOnce(t)
	requireOK(t, LogsStop())
	requireOK(t, LogsStop())
	var spans []map[string]any
	for _, record := range remainingLogs(t) {
		if record["kind"] == "span" && record["target"] == "hyperlight_js::sandbox::proto_js_sandbox" {
			spans = append(spans, record)
		}
	}
	require.Len(t, spans, 1)
	span := spans[0]
	assert.Equal(t, "new", span["message"])
	assert.EqualValues(t, LogLevelInfo, span["level"])
	assert.Equal(t, []any{[]any{"version", "0.4.0"}}, span["fields"])
	assert.InDelta(t, float64(began.UnixNano()), span["time"], float64(time.Minute))
	assert.Positive(t, span["duration"])
	assert.Positive(t, span["span"])
	assert.NotContains(t, span, "parent")
}

func TestLogsDoNotWaitLongerThanTheyMay(t *testing.T) {
	loadLibrary(t)
	requireOK(t, LogsStart(uint32(LogLevelError), false, 1))
	for _, timeout := range []time.Duration{0, 1, time.Millisecond} {
		text, err := LogsNext(uint64(timeout))
		requireOK(t, err)
		assert.Empty(t, text)
	}
	waited := make(chan *Error)
	go func() {
		_, err := LogsNext(math.MaxUint64)
		waited <- err
	}()
	select {
	case <-waited:
		t.Error("there is nothing to be had yet")
	case <-time.After(20 * time.Millisecond):
	}
	requireOK(t, LogsStop())
	requireError(t, <-waited, CodeLogsStopped, "logs are not being collected")
}

func TestLogsRefuse(t *testing.T) {
	loadLibrary(t)
	const capacities = ", not from 1 to 1048576"
	requireError(t, LogsStart(6, false, 1), CodeInvalidArgument, "level is 6, but the highest is 5, trace")
	requireError(t, LogsStart(math.MaxUint32, false, 1), CodeInvalidArgument, "level is 4294967295, but the highest is 5, trace")
	requireError(t, LogsStart(1, false, 0), CodeInvalidArgument, "capacity is 0"+capacities)
	requireError(t, LogsStart(1, false, 1<<20+1), CodeInvalidArgument, "capacity is 1048577"+capacities)
	requireError(t, LogsSetLevel(6), CodeInvalidArgument, "level is 6, but the highest is 5, trace")
	assert.Empty(t, remainingLogs(t))
}
