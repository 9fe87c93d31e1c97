package main

import (
	"os"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

const usageHint = "Usage: run [flags] FILE.js [EVENT|@file|-]   (--help tells more)\n"

func TestWrongUsage(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		reason string
	}{
		{"no arguments", nil, "FILE.js is missing"},
		{"flags alone", []string{"--gc=false"}, "FILE.js is missing"},
		{"empty file name", []string{""}, "FILE.js is empty"},
		{"too many arguments", []string{"a.js", "{}", "more", "and more"}, "too many arguments: more and more"},
		{"unknown flag", []string{"a.js", "--colour"}, "unknown flag: --colour"},
		{"event like a flag", []string{"a.js", "-1"}, "unknown shorthand flag: '1' in -1"},
		{"flag without value", []string{"a.js", "--heap"}, "flag needs an argument: --heap"},
		{"size in words", []string{"a.js", "--heap", "lots"}, `--heap "lots": not a size; write one like 16MiB`},
		{"size of nothing", []string{"a.js", "--scratch="}, `--scratch "": not a size; write one like 16MiB`},
		{"size below zero", []string{"a.js", "--scratch=-1"}, `--scratch "-1": not a size; write one like 16MiB`},
		{"size with a comma", []string{"a.js", "--heap=1,5MiB"}, `--heap "1,5MiB": not a size; write one like 16MiB`},
		{"size of an unknown unit", []string{"a.js", "--heap=5apples"}, `--heap "5apples": not a size; write one like 16MiB`},
		{"size beyond 64 bits", []string{"a.js", "--heap=9999999999T"}, `--heap "9999999999T": not a size; write one like 16MiB`},
		{"repeat 0", []string{"a.js", "--repeat", "0"}, `--repeat "0": not a whole number from 1 on`},
		{"repeat often", []string{"a.js", "--repeat=often"}, `--repeat "often": not a whole number from 1 on`},
		{"gc maybe", []string{"a.js", "--gc=maybe"}, `--gc "maybe": must be true or false`},
		{"timeout in words", []string{"a.js", "--timeout=soon"}, `--timeout "soon": not a time above zero; write one like 500ms or 2s`},
		{"timeout without a unit", []string{"a.js", "--timeout", "5"}, `--timeout "5": not a time above zero; write one like 500ms or 2s`},
		{"no time at all", []string{"a.js", "--cpu=0s"}, `--cpu "0s": not a time above zero; write one like 500ms or 2s`},
		{"module without a file", []string{"a.js", "--module=tax="}, `--module "tax=": not a file or NAME=FILE`},
		{"module without a name", []string{"a.js", "--module", "=tax.js"}, `--module "=tax.js": not a file or NAME=FILE`},
		{"two modules of a name", []string{"a.js", "--module=a/x.js", "--module=b/x.js"}, `--module "b/x.js": there is a module x already, a/x.js; name one by NAME=FILE`},
		{"no folder to import from", []string{"a.js", "--fs="}, "--fs is empty"},
		{"no folder for snapshots", []string{"a.js", "--snapshot="}, "--snapshot is empty"},
		{"empty handler name", []string{"a.js", "--handler="}, "--handler is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, outcome{exitUsage, "", "run: " + test.reason + "\n" + usageHint}, tryRun("", test.args...))
		})
	}
}

func TestParseCommand(t *testing.T) {
	c, err := parseCommand([]string{"--gc=false", "some/folder/greet.hello.js", "--repeat", "3", "@e.json", "--heap=16M", "--scratch", "1.5GiB"})
	require.NoError(t, err)
	require.Equal(t, "some/folder/greet.hello.js", c.file)
	require.Equal(t, "@e.json", c.event)
	require.Equal(t, "greet.hello", c.handler)
	require.Equal(t, 3, c.repeat)
	require.False(t, c.gc)
	require.Len(t, c.options, 2, "sizes that are not given are left to the package")

	c, err = parseCommand([]string{"a", "--handler", "other", "--", "-1"})
	require.NoError(t, err)
	require.Equal(t, "other", c.handler)
	require.Equal(t, "-1", c.event)

	c, err = parseCommand([]string{"-"})
	require.NoError(t, err)
	require.Equal(t, command{file: "-", event: "{}", handler: "-", gc: true, repeat: 1}, *c)
}

func TestParseLimitsAndInputs(t *testing.T) {
	c, err := parseCommand([]string{"a.js", "--timeout=1.5s", "--cpu", "20ms", "--module=lib/tax.min.js", "--module", "rate=x=y.js", "--fs=.", "--snapshot=kept", "--stats", "--heap=16M", "--upstream-defaults"})
	require.NoError(t, err)
	require.Equal(t, limit(1500*time.Millisecond), c.timeout)
	require.Equal(t, limit(20*time.Millisecond), c.cpu)
	require.Equal(t, []moduleFile{{"tax.min", "lib/tax.min.js"}, {"rate", "x=y.js"}}, c.modules)
	require.Equal(t, ".", c.fs)
	require.Equal(t, "kept", c.snapshots)
	require.True(t, c.stats)
	require.ElementsMatch(t, []string{"heap=16MiB", "upstream-defaults=true"}, c.sizes)
}

func TestSizes(t *testing.T) {
	for text, bytes := range map[string]size{
		"0": 0, "1": 1, "8192b": 8192, "16K": 16 << 10, "16KiB": 16 << 10, "16kb": 16 << 10, "16MiB": 16 << 20,
		"16 MiB": 16 << 20, "0.5m": 1 << 19, "2G": 2 << 30, "1TiB": 1 << 40,
	} {
		var s size
		require.NoError(t, s.Set(text), text)
		require.Equal(t, bytes, s, text)
	}
}

func TestHelp(t *testing.T) {
	got := tryRun("", "--help")
	require.Equal(t, exitOK, got.exitCode)
	require.Empty(t, got.stderr)
	require.Contains(t, got.stdout, "Usage: run [flags] FILE.js [EVENT|@file|-]\n")
	require.Regexp(t, `--heap size .*\(default 8MiB\)`, got.stdout)
	require.Regexp(t, `--scratch size .*\(default 16MiB\)`, got.stdout)
	require.Regexp(t, `--input-buffer size .*\(default 1MiB\)`, got.stdout)
	require.Regexp(t, `--output-buffer size .*\(default 1MiB\)`, got.stdout)
	require.Equal(t, got, tryRun("", "a.js", "-h"))
}

func TestReadmeNamesEveryFlag(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	flags, _ := newFlagSet()
	flags.VisitAll(func(flag *pflag.Flag) {
		require.Contains(t, string(readme), "`--"+flag.Name)
	})
}
