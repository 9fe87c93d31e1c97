package main

import (
	_ "embed"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed README.md
var readme string

// The README's table has each flag, with its default.
func TestFlagsAreDocumented(t *testing.T) {
	var help strings.Builder
	_, err := parseSettings([]string{"--help"}, &help)
	require.ErrorIs(t, err, flag.ErrHelp)
	flags := regexp.MustCompile(`(?m)^  -([a-z-]+)`).FindAllStringSubmatch(help.String(), -1)
	rows := regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| `?([^|`]+)`? \\|").FindAllStringSubmatch(readme, -1)
	documented := map[string]string{}
	for _, row := range rows {
		documented[row[1]] = strings.TrimSpace(row[2])
	}
	assert.Len(t, documented, len(flags))
	for _, f := range flags {
		require.Contains(t, documented, f[1])
	}
	s := defaultSettings()
	for name, value := range map[string]any{
		"listen": s.listen, "idle": s.idle, "sessions": s.sessions, "sessions-per-address": s.perAddress,
		"concurrent": "processors", "patience": s.patience, "rate": s.rate, "burst": s.burst, "shutdown": s.shutdown,
		"slow-reader": s.slowReader, "behind-proxy": "off", "max-wall-clock": s.most.wallClock,
		"max-cpu-time": s.most.cpuTime, "max-heap": s.most.heap, "max-print": s.most.print,
	} {
		text := fmt.Sprint(value)
		if d, is := value.(time.Duration); is {
			text = strings.TrimSuffix(d.String(), "m0s")
			if text != d.String() {
				text += "m"
			}
		}
		assert.Equal(t, text, documented[name], name)
	}
}

func TestSettings(t *testing.T) {
	s, err := parseSettings(strings.Fields("--max-heap 4 --max-wall-clock 1s --idle 1m --behind-proxy"), nil)
	require.NoError(t, err)
	assert.Equal(t, time.Minute, s.idle)
	assert.True(t, s.behindProxy)
	assert.Equal(t, limits{WallClock: 1000, CPUTime: 1000, Heap: 4, Print: 64}, s.most.defaults(), "within the maxima")

	for args, want := range map[string]string{
		"--sessions 0":          "--sessions must be above zero",
		"--idle -1s --rate NaN": "--idle must be above zero\n--rate must be above zero",
		"--max-heap 3":          "--max-heap must be at least 4 MiB",
		"--max-wall-clock 1ms":  "--max-wall-clock must be at least 100 ms",
		"here":                  `there is no argument "here", only flags: --help lists them`,
		"--sessons 3":           "flag provided but not defined: -sessons; --help lists the flags",
		"--sessions many":       `invalid value "many" for flag -sessions: parse error; --help lists the flags`,
	} {
		_, err := parseSettings(strings.Fields(args), nil)
		assert.EqualError(t, err, want)
	}
}
