//go:build linux && amd64

package parity_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestMetrics is the test module of upstream's src/sandbox/metrics.rs.
func TestMetrics(t *testing.T) {
	// Upstream ignores it, since it "Needs to run separately to not get influenced by other tests". Here it
	// does run separately: in a process of its own.
	t.Run("test_metrics", func(t *testing.T) {
		const child = "HYPERLIGHT_TEST_PARITY_METRICS"
		if os.Getenv(child) != "" {
			testMetrics(t)
			return
		}
		command := exec.Command(os.Args[0], "-test.run=^TestMetrics$/^test_metrics$", "-test.v")
		command.Env = append(os.Environ(), child+"=1")
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		require.Contains(t, string(output), "--- PASS: TestMetrics/test_metrics")
	})
}

func testMetrics(t *testing.T) {
	require.NoError(t, hyperlight.EnableMetrics())
	loaded := loadHandler(t, `
        function handler(event) {
            event.request.uri = "/redirected.html";
            return event
        }
        `)
	handle(t, loaded, "handler", `
        {
            "request": {
                "uri": "/index.html"
            }
        }
        `)
	metrics, err := hyperlight.Metrics()
	require.NoError(t, err)
	var own, host []string
	for _, metric := range metrics {
		switch function, ok := metric.Labels["function_name"]; {
		case ok:
			host = append(host, metric.Name+" "+function)
		case metric.Name == "erroneous_vcpu_kicks_total": // by Go's signals, now and then
		default:
			own = append(own, metric.Name)
		}
	}
	// Upstream asserts that there are 8.
	assert.Equal(t, []string{
		"active_js_sandboxes",
		"active_loaded_js_sandboxes",
		"active_proto_js_sandboxes",
		"event_handler_calls_with_gc_total",
		"js_sandboxes_total",
		"loaded_js_sandboxes_total",
		"proto_js_sandboxes_total",
		"sandbox_loads_total",
	}, own)
	// These come from hyperlight-host's feature function_call_metrics, which this library is built with and
	// upstream's test is not.
	assert.Equal(t, []string{
		"guest_call_duration_seconds RegisterHostModules",
		"guest_call_duration_seconds RunHandler",
		"guest_call_duration_seconds register_handler",
		"host_call_duration_seconds CurrentTimeMicros",
	}, host)
}
