//go:build linux && amd64

package hyperlight_test

import (
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Metrics are those of a process, so each case runs in a process of its own: this test binary again,
// with the variable below naming the case.
const metricsCaseVariable = "HYPERLIGHT_TEST_METRICS_CASE"

func TestMetrics(t *testing.T) {
	if name := os.Getenv(metricsCaseVariable); name != "" {
		metricsCases[name](t)
		return
	}
	for name := range metricsCases {
		t.Run(name, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestMetrics$", "-test.v")
			child.Env = append(os.Environ(), metricsCaseVariable+"="+name)
			output, err := child.CombinedOutput()
			require.NoError(t, err, string(output))
			require.Contains(t, string(output), "--- PASS: TestMetrics")
		})
	}
}

var metricsCases = map[string]func(t *testing.T){
	"disabled": func(t *testing.T) {
		_, err := hyperlight.Metrics()
		require.ErrorIs(t, err, hyperlight.ErrMetricsDisabled)
		assert.EqualError(t, err, "hyperlight: Metrics: metrics are not installed (call EnableMetrics before the first New)")
	},
	"too late": func(t *testing.T) {
		loadHandler(t, counter)
		err := hyperlight.EnableMetrics()
		require.ErrorIs(t, err, hyperlight.ErrTelemetryTooLate)
		assert.EqualError(t, err, "hyperlight: EnableMetrics: metrics must be installed before the first sandbox "+
			"(call EnableMetrics before the first New)")
		_, err = hyperlight.Metrics()
		require.ErrorIs(t, err, hyperlight.ErrMetricsDisabled)
	},
	"the life of a sandbox": metricsOfALife,
	"kills":                 metricsOfKills,
	"stray signals":         metricsOfStraySignals,
	"many sandboxes":        metricsOfManySandboxes,
}

// series are metrics by name and labels, like guest_errors_total{code=15}.
func series(t *testing.T) map[string]hyperlight.Metric {
	t.Helper()
	metrics, err := hyperlight.Metrics()
	require.NoError(t, err)
	all := map[string]hyperlight.Metric{}
	for _, metric := range metrics {
		var name strings.Builder
		name.WriteString(metric.Name)
		for label, value := range metric.Labels {
			name.WriteString("{" + label + "=" + value + "}")
		}
		require.NotContains(t, all, name.String())
		all[name.String()] = metric
		assert.Equal(t, metric.Kind == hyperlight.MetricHistogram, metric.Histogram != nil)
		assert.Equal(t, metric.Kind == hyperlight.MetricHistogram, metric.Unit != "")
	}
	return all
}

// values are the values of counters and gauges, and the counts of histograms.
func values(t *testing.T) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for name, metric := range series(t) {
		all[name] = metric.Value
		if metric.Histogram != nil {
			all[name] = float64(metric.Histogram.Count)
		}
	}
	delete(all, "erroneous_vcpu_kicks_total") // A matter of luck.
	return all
}

func metricsOfALife(t *testing.T) {
	require.NoError(t, hyperlight.EnableMetrics())
	require.NoError(t, hyperlight.EnableMetrics(), "twice is as good as once")
	assert.Empty(t, series(t))

	sandbox := newSandbox(t)
	source := `function handler(event) { if (event.fail) throw new Error("no"); console.log("yes"); return event; }`
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(source)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	for range 3 {
		call(t, loaded, `{}`)
	}
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithGC(false))
	require.NoError(t, err)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{"fail":true}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	_, err = loaded.HandleEvent(t.Context(), "missing", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)

	expected := map[string]float64{
		"active_js_sandboxes":                                            0,
		"active_loaded_js_sandboxes":                                     1,
		"active_proto_js_sandboxes":                                      0,
		"event_handler_calls_total{event_handler_name=handler}":          1,
		"event_handler_calls_with_gc_total{event_handler_name=handler}":  4,
		"event_handler_calls_with_gc_total{event_handler_name=missing}":  1,
		"guest_call_duration_seconds{function_name=RegisterHostModules}": 1,
		"guest_call_duration_seconds{function_name=RunHandler}":          6,
		"guest_call_duration_seconds{function_name=register_handler}":    1,
		"guest_errors_total{code=15}":                                    2,
		"host_call_duration_seconds{function_name=HostPrint}":            4,
		"js_sandboxes_total":                                             1,
		"loaded_js_sandboxes_total":                                      1,
		"proto_js_sandboxes_total":                                       1,
		"sandbox_loads_total":                                            1,
	}
	found := values(t)
	assert.Positive(t, found["host_call_duration_seconds{function_name=CurrentTimeMicros}"])
	delete(found, "host_call_duration_seconds{function_name=CurrentTimeMicros}")
	assert.Equal(t, expected, found)

	again, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	maps.Copy(expected, map[string]float64{
		"active_js_sandboxes":        1,
		"active_loaded_js_sandboxes": 0,
		"js_sandboxes_total":         2,
		"sandbox_unloads_total":      1,
	})
	found = values(t)
	delete(found, "host_call_duration_seconds{function_name=CurrentTimeMicros}")
	assert.Equal(t, expected, found)
	require.NoError(t, again.Close())
	assert.Zero(t, series(t)["active_js_sandboxes"].Value)

	checkHistograms(t)
}

// checkHistograms looks at two histograms of the same calls.
func checkHistograms(t *testing.T) {
	t.Helper()
	all := series(t)
	micros := all["event_handler_calls_with_gc_total{event_handler_name=handler}"]
	seconds := all["guest_call_duration_seconds{function_name=RunHandler}"]
	assert.Equal(t, "microseconds", micros.Unit, "whatever its name says")
	assert.Equal(t, "seconds", seconds.Unit)
	assert.InDelta(t, 6*micros.Histogram.Sum/4, seconds.Histogram.Sum*1e6, 6*micros.Histogram.Sum/4, "of the same order")
	for _, histogram := range []*hyperlight.Histogram{micros.Histogram, seconds.Histogram} {
		require.Len(t, histogram.Buckets, 22)
		before := hyperlight.Bucket{}
		for _, bucket := range histogram.Buckets {
			assert.Greater(t, bucket.UpperBound, before.UpperBound)
			assert.GreaterOrEqual(t, bucket.Count, before.Count)
			before = bucket
		}
		assert.Equal(t, histogram.Count, before.Count, "no call takes 10 seconds")
	}
	last := len(micros.Histogram.Buckets) - 1
	assert.InDelta(t, float64(10*time.Second/time.Microsecond), micros.Histogram.Buckets[last].UpperBound, 0)
	assert.InDelta(t, 10.0, seconds.Histogram.Buckets[last].UpperBound, 0)
}

// Each monitor that stops a guest is counted under its name; a kill by handle is a cancellation alone.
func metricsOfKills(t *testing.T) {
	require.NoError(t, hyperlight.EnableMetrics())
	loaded := loadHandler(t, `function handler() { console.log("here"); while (true) {} }`)
	snapshot, interrupt, trigger := takeSnapshot(t, loaded), interruptHandle(t, loaded), newTrigger(t, "operator")
	for _, options := range [][]hyperlight.CallOption{
		{hyperlight.WithMonitors(hyperlight.WallClock(50 * time.Millisecond))},
		{hyperlight.WithMonitors(hyperlight.CPUTime(50 * time.Millisecond))},
		{hyperlight.WithMonitors(trigger), hyperlight.WithPrintFunc(func(string) { trigger.Fire() })},
		{hyperlight.WithPrintFunc(func(string) { interrupt.Kill() })},
	} {
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), options...)
		require.ErrorIs(t, err, hyperlight.ErrCancelled)
		restore(t, loaded, snapshot)
	}
	found := values(t)
	assert.EqualValues(t, 4, found["guest_cancellations_total"])
	for _, name := range []string{"wall-clock", "cpu-time", "operator"} {
		assert.EqualValues(t, 1, found["monitor_terminations_total{monitor_type="+name+"}"], name)
	}
}

// A signal that is not upstream's, like those that Go preempts with, is counted; the guest goes on.
func metricsOfStraySignals(t *testing.T) {
	require.NoError(t, hyperlight.EnableMetrics())
	loaded := loadHandler(t, `function handler(n) { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum; }`)
	var stop atomic.Bool
	var storm sync.WaitGroup
	storm.Go(func() {
		for !stop.Load() {
			threads, _ := os.ReadDir("/proc/self/task")
			for _, thread := range threads {
				if tid, err := strconv.Atoi(thread.Name()); err == nil {
					_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
				}
			}
			time.Sleep(time.Millisecond)
		}
	})
	defer storm.Wait()
	defer stop.Store(true)
	require.Eventually(t, func() bool {
		assert.Equal(t, "499999500000", call(t, loaded, "1000000"))
		return series(t)["erroneous_vcpu_kicks_total"].Value > 0
	}, time.Minute, time.Millisecond)
	assert.NotContains(t, series(t), "guest_cancellations_total")
}

func metricsOfManySandboxes(t *testing.T) {
	const sandboxes, calls = 3, 50
	require.NoError(t, hyperlight.EnableMetrics())
	var workers sync.WaitGroup
	for range sandboxes {
		loaded := loadHandler(t, counter)
		workers.Go(func() {
			for range calls {
				_, err := loaded.HandleEvent(t.Context(), "handler", []byte("{}"))
				assert.NoError(t, err)
			}
		})
	}
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			series(t) // It may be read while guests run.
		}
	}
	found := values(t)
	assert.EqualValues(t, sandboxes*calls, found["event_handler_calls_with_gc_total{event_handler_name=handler}"])
	assert.EqualValues(t, sandboxes, found["active_loaded_js_sandboxes"])
}
