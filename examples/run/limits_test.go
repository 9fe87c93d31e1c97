package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const endless = "function handler(event) { if (event.spin) for (;;) {} return 'done' }"

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name   string
		script string
		args   []string
		want   outcome
	}{
		{
			"a call that keeps them", endless, []string{"{}", "--timeout=5m", "--cpu=5m", "--repeat=2"},
			outcome{stdout: "\"done\"\n\"done\"\n"},
		},
		{
			"a call that takes too long", endless, []string{`{"spin":true}`, "--timeout=300ms"},
			outcome{exitLimit, "", "h.js: stopped after 300ms (--timeout)\n"},
		},
		{
			"a call that uses too much of the processor", endless, []string{`{"spin":true}`, "--cpu=200ms", "--timeout=5m"},
			outcome{exitLimit, "", "h.js: stopped after 200ms of processor time (--cpu)\n"},
		},
		{
			"a script that is never loaded", "for (;;) {}\nfunction handler() {}", []string{"--timeout=1ms"},
			outcome{exitLimit, "", "h.js: loading it was stopped after 5.001s (--timeout, and 5s)\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inFolder(t, map[string]string{"h.js": test.script})
			require.Equal(t, test.want, tryRun("", append([]string{"h.js"}, test.args...)...))
		})
	}
}

func TestStats(t *testing.T) {
	inFolder(t, map[string]string{"h.js": endless})
	const times = `h\.js: [0-9.]+m?µ?s, [0-9.]+m?µ?s of processor time`
	got := tryRun("", "h.js", "--stats", "--repeat=2")
	require.Equal(t, exitOK, got.exitCode)
	require.Equal(t, "\"done\"\n\"done\"\n", got.stdout)
	require.Regexp(t, "^"+times+"\n"+times+"\n$", got.stderr)

	got = tryRun("", "h.js", `{"spin":true}`, "--stats", "--timeout=100ms")
	require.Equal(t, exitLimit, got.exitCode)
	require.Regexp(t, "^"+times+", ended by wall-clock\nh.js: stopped after 100ms \\(--timeout\\)\n$", got.stderr)
}
