package main

import (
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

const (
	failing  = "\nfunction handler() { throw Error('no luck') }"
	plain    = "h.js: Uncaught no luck\n    at handler (./h.js:2:28)\n"
	coloured = "\x1b[31;1mh.js: Uncaught no luck\x1b[0;22m\n\x1b[2m    at handler (./h.js:2:28)\x1b[22m\n"
)

func TestColours(t *testing.T) {
	inFolder(t, map[string]string{"h.js": failing})
	for _, test := range []struct {
		name string
		env  map[string]string
		pipe string // what a pipe gets
		tty  string // what a terminal gets
	}{
		{"as it is", nil, plain, coloured},
		{"not wanted", map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, plain, plain},
		{"wanted", map[string]string{"CLICOLOR_FORCE": "1"}, coloured, coloured},
		{"no longer wanted", map[string]string{"CLICOLOR_FORCE": "0"}, plain, coloured},
		{"not known", map[string]string{"TERM": "dumb"}, plain, plain},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range []string{"NO_COLOR", "CLICOLOR_FORCE", "TERM"} {
				t.Setenv(name, test.env[name])
			}
			require.Equal(t, outcome{exitFailure, "", test.pipe}, tryRun("", "h.js"))
			require.Equal(t, test.tty, onTerminal(t, "h.js"))
		})
	}
}

// onTerminal is what the program writes to standard error when that is a terminal.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	screen, terminal, err := pty.Open()
	require.NoError(t, err)
	defer screen.Close()
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(screen) // its end is an error, EIO
		read <- string(text)
	}()
	require.Equal(t, exitFailure, run(args, nil, io.Discard, terminal))
	require.NoError(t, terminal.Close())
	return strings.ReplaceAll(<-read, "\r\n", "\n") // as terminals end lines
}
