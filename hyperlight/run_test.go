package hyperlight_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Options of all kinds are options of Run.
var _ = []hyperlight.RunOption{hyperlight.Option(nil), hyperlight.CallOption(nil), hyperlight.PrintOption{}}

func TestRun(t *testing.T) {
	var first, printed bytes.Buffer
	var stats hyperlight.ExecutionStats
	result, err := hyperlight.Run(t.Context(),
		`console.log("loading"); function handler(event) { console.log("running"); return event.a + event.b; }`,
		[]byte(`{"a":1,"b":2}`),
		hyperlight.WithHeapSize(16<<20), hyperlight.WithScratchSize(32<<20), hyperlight.WithGC(false),
		hyperlight.WithPrint(&first), hyperlight.WithStats(&stats), hyperlight.WithPrint(&printed),
		hyperlight.WithMonitors(hyperlight.WallClock(time.Hour)))
	require.NoError(t, err)
	assert.Equal(t, `3`, string(result))
	assert.Positive(t, stats.WallClock)
	assert.Empty(t, first.String(), "the last option counts")
	assert.Equal(t, "loading\nrunning\n", printed.String(), "it is for top-level code, too")
}

// openFiles counts the files that are open, to which a micro-VM adds.
func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(files)
}

func TestRunSaysWhichStepFailed(t *testing.T) {
	const echo = `function handler(event) { return event; }`
	ctx, gc := t.Context(), hyperlight.WithGC(true)
	trigger := newTrigger(t, "fired")
	trigger.Fire()
	ended, cancel := context.WithCancel(ctx)
	cancel()

	_, err := hyperlight.Run(ctx, echo, []byte(`1`), hyperlight.WithMonitors(hyperlight.WallClock(time.Hour)))
	require.NoError(t, err, "it opens what stays open: that of the monitors")
	sandbox := newSandbox(t)
	withSandbox := openFiles(t)
	require.NoError(t, sandbox.Close())
	without := openFiles(t)
	require.Greater(t, withSandbox, without)
	for name, test := range map[string]struct {
		ctx           context.Context
		source, event string
		opt           hyperlight.RunOption
		sentinel      error
		op            string
	}{
		"nil option":      {ctx, echo, `1`, nil, hyperlight.ErrInvalidArgument, "Run"},
		"heap too small":  {ctx, echo, `1`, hyperlight.WithHeapSize(1), hyperlight.ErrMemorySize, "New"},
		"print limit":     {ctx, echo, `1`, hyperlight.WithPrintLimit(-1), hyperlight.ErrInvalidArgument, "New"},
		"no context":      {nil, echo, `1`, gc, hyperlight.ErrInvalidArgument, "LoadRuntime"},
		"ended context":   {ended, echo, `1`, gc, context.Canceled, "LoadRuntime"},
		"NUL byte":        {ctx, "\x00", `1`, gc, hyperlight.ErrInvalidArgument, "AddHandler"},
		"script too long": {ctx, strings.Repeat(" ", 1<<20), `1`, gc, hyperlight.ErrBufferTooSmall, "AddHandler"},
		"syntax error":    {ctx, `function handler( {`, `1`, gc, hyperlight.ErrJSException, "Load"},
		"no handler":      {ctx, ``, `1`, gc, hyperlight.ErrJSException, "Load"},
		"exception":       {ctx, `function handler() { throw 1; }`, `1`, gc, hyperlight.ErrJSException, "HandleEvent"},
		"no JSON":         {ctx, echo, `{`, gc, hyperlight.ErrInvalidJSON, "HandleEvent"},
		"no value":        {ctx, `function handler() {}`, `1`, gc, hyperlight.ErrNoValue, "HandleEvent"},
		"bad call option": {ctx, echo, `1`, hyperlight.WithStats(nil), hyperlight.ErrInvalidArgument, "HandleEvent"},
		"fired trigger":   {ctx, echo, `1`, hyperlight.WithMonitors(trigger), hyperlight.ErrCancelled, "HandleEvent"},
		"out of memory":   {ctx, `function handler(n) { return handler(n + 1) + 1; }`, `1`, gc, hyperlight.ErrOutOfMemory, "HandleEvent"},
		"output too big":  {ctx, `function handler() { return "x".repeat(2e6); }`, `1`, gc, hyperlight.ErrOutputTooBig, "HandleEvent"},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := hyperlight.Run(test.ctx, test.source, []byte(test.event), test.opt)
			assert.Nil(t, result)
			require.ErrorIs(t, err, test.sentinel)
			assert.Equal(t, test.op, asError(t, err).Op)
			assert.LessOrEqual(t, openFiles(t), without, "the micro-VM is gone")
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	for op, source := range map[string]string{
		"Load":        `print("running\n"); for (;;); function handler() {}`,
		"HandleEvent": `function handler() { print("running\n"); for (;;); }`,
	} {
		t.Run(op, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			_, err := hyperlight.Run(ctx, source, []byte(`{}`), hyperlight.WithPrintFunc(func(string) { cancel() }))
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, hyperlight.ErrCancelled)
			assert.Equal(t, op, asError(t, err).Op)
		})
	}
}
