//go:build linux && amd64

package capi

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func metrics(what string) step { return step{"metrics", what} }

// useMetrics is what a child does with metrics, of which a process has one set.
func useMetrics(what string) (o outcome) {
	failed := func(err *Error) {
		if err != nil {
			o.Err = fmt.Sprintf("%d: %s", err.Code, err.Message)
		}
	}
	switch what {
	case "install":
		failed(MetricsInstall())
	case "snapshot":
		text, err := MetricsSnapshot()
		o.Text = string(text)
		failed(err)
	case "build":
		builder, err := BuilderNew()
		failed(err)
		proto, _ := BuilderBuild(builder) // Where there is no hypervisor this fails, and counts too.
		ProtoSandboxFree(proto)
		BuilderFree(builder)
	}
	return o
}

func TestMetricsComeBeforeSandboxes(t *testing.T) {
	child := child{environment: map[string]string{LibraryVariable: realLibrary(t)}}
	outcomes := child.run(t, load(), metrics("snapshot"), metrics("install"), metrics("snapshot"), metrics("build"),
		metrics("install"), metrics("snapshot"))
	assert.Equal(t, outcome{Err: "131: metrics are not installed"}, outcomes[1])
	assert.Equal(t, outcome{}, outcomes[2])
	assert.Equal(t, outcome{Text: "[]"}, outcomes[3])
	assert.Equal(t, outcome{}, outcomes[5], "once it is there, it is there")
	assert.Empty(t, outcomes[6].Err)
	if hypervisorPresent(t) {
		assert.Equal(t, `[{"name":"active_proto_js_sandboxes","kind":"gauge","labels":{},"value":0.0},`+
			`{"name":"proto_js_sandboxes_total","kind":"counter","labels":{},"value":1}]`, outcomes[6].Text)
	}
}

func TestMetricsAfterASandboxAreTooLate(t *testing.T) {
	child := child{environment: map[string]string{LibraryVariable: realLibrary(t)}}
	outcomes := child.run(t, load(), metrics("build"), metrics("install"), metrics("snapshot"))
	assert.Equal(t, outcome{Err: "130: metrics must be installed before the first sandbox"}, outcomes[2])
	assert.Equal(t, outcome{Err: "131: metrics are not installed"}, outcomes[3])
}
