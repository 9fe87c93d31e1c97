package main

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// maxTail is enough for a kernel panic with its call trace.
const maxTail = 64 << 10 // bytes

// tail keeps the end of what is written to it. The zero value is ready, and
// any goroutine may use it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - maxTail; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) readFrom(r io.Reader) { _, _ = io.Copy(t, r) }

// terminalControl matches what firmware sends to clear the screen, and would to
// the user's.
var terminalControl = regexp.MustCompile(`\x1b(\[[0-9;?]*[A-Za-z]|.)|[\x00-\x08\x0b-\x1f\x7f]`)

// lastLines returns at most n lines from the end, as plain text, without those
// that contain one of the given strings.
func (t *tail) lastLines(n int, without ...string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := terminalControl.ReplaceAllString(string(t.buf), "")
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(text), "\n"), func(line string) bool {
		return slices.ContainsFunc(without, func(s string) bool { return strings.Contains(line, s) })
	})
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
