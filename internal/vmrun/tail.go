package main

import (
	"bytes"
	"io"
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

// lastLines returns at most n lines from the end, as plain text.
func (t *tail) lastLines(n int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(bytes.ReplaceAll(t.buf, []byte("\r"), nil)))
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
