package capi

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGuardedReturns(t *testing.T) {
	for name, function := range map[string]func(){
		"nothing special":   func() {},
		"a panic":           func() { panic("text") },
		"a nil panic":       func() { panic(nil) },
		"an error":          func() { panic(errors.New("error")) },
		"a runtime error":   func() { _ = *(*int)(nil) },
		"nil":               nil,
		"Goexit":            runtime.Goexit,
		"a panic in defer":  func() { defer panic("second"); panic("first") },
		"Goexit in defer":   func() { defer runtime.Goexit(); panic("first") },
		"a panic in Goexit": func() { defer panic("second"); runtime.Goexit() },
		"guarded, guarded":  func() { Guarded(runtime.Goexit); Guarded(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			Guarded(function) // Otherwise the process dies, or this test hangs or ends here.
			t.Log("still here")
		})
	}
}

// t.FailNow ends its goroutine, which must not be the one with the native frames.
func TestGuardedRunsElsewhereAndWaits(t *testing.T) {
	here, there := goroutine(), ""
	finished := false
	Guarded(func() {
		there = goroutine()
		defer func() { finished = true }()
		runtime.Gosched()
		runtime.Goexit()
	})
	assert.NotEqual(t, here, there)
	assert.True(t, finished)
}

// goroutine names the calling goroutine, like "goroutine 7".
func goroutine() string {
	stack := make([]byte, 64)
	stack = stack[:runtime.Stack(stack, false)]
	name, _, _ := bytes.Cut(stack, []byte(" ["))
	return string(name)
}
