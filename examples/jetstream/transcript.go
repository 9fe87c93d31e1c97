package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// transcript is what a worker logged so far.
type transcript struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed when there is another line, or the end
	ended bool
}

// Write adds a line.
func (t *transcript) Write(line []byte) (int, error) {
	t.change(func() { t.lines = append(t.lines, string(line)) })
	return len(line), nil
}

// end says that there will be no more lines.
func (t *transcript) end() { t.change(func() { t.ended = true }) }

func (t *transcript) change(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
	if t.more != nil {
		close(t.more)
		t.more = nil
	}
}

// waitFor waits for a line that has all these texts.
func (t *transcript) waitFor(ctx context.Context, texts ...string) error {
	for {
		found, ended, more := t.look(texts)
		switch {
		case found:
			return nil
		case ended:
			return fmt.Errorf("the worker ended, and its log has no line with %q", texts)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("wait for a line with %q: %w", texts, ctx.Err())
		}
	}
}

func (t *transcript) look(texts []string) (found, ended bool, more <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more == nil {
		t.more = make(chan struct{})
	}
	lacks := func(line string) func(string) bool {
		return func(text string) bool { return !strings.Contains(line, text) }
	}
	found = slices.ContainsFunc(t.lines, func(line string) bool { return !slices.ContainsFunc(texts, lacks(line)) })
	return found, t.ended, t.more
}
