package main

import (
	"io"
	"os"
	"strings"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
)

// paint colours a message for the terminal that it goes to, if it goes to one: what went wrong, and, fainter, where.
func paint(message string, to io.Writer) string {
	if !showsColours(to) {
		return message
	}
	failure, place := color.New(color.FgRed, color.Bold), color.New(color.Faint)
	failure.EnableColor() // the library looks at standard output alone
	place.EnableColor()
	lines := strings.Split(message, "\n")
	for i, line := range lines {
		switch {
		case i == 0:
			lines[i] = failure.Sprint(line)
		case strings.HasPrefix(line, "    at "):
			lines[i] = place.Sprint(line)
		}
	}
	return strings.Join(lines, "\n")
}

// showsColours follows https://no-color.org and https://bixense.com/clicolors. In the emulated machine nothing is a
// terminal, so `./build.sh run` says by CLICOLOR_FORCE that it has one.
func showsColours(to io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	if force := os.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	file, ok := to.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
