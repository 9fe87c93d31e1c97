package main

import (
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	var console tail
	_, _ = console.Write([]byte(strings.Repeat("x", maxTail)))
	_, _ = console.Write([]byte("\n\x1bc\x1b[?7l\x1b[2JBoot\r\nnoise of features\r\none\x00\r\ntwo\r\n\r\n"))
	if got, want := console.lastLines(3, "noise"), "Boot\none\ntwo"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := len(console.lastLines(100)); got > maxTail {
		t.Errorf("%d bytes are kept", got)
	}
}
