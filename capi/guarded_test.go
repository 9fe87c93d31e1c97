package capi

import (
	"bytes"
	"errors"
	"fmt"
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
		"guarded, guarded":  func() { Guarded(runtime.Goexit, nil); Guarded(nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			Guarded(function, nil) // Otherwise the process dies, or this test hangs or ends here.
			t.Log("still here")
		})
	}
}

func TestGuardedTellsHowItEnded(t *testing.T) {
	assert.Nil(t, Guarded(func() {}, nil))
	assert.Nil(t, Guarded(func() { defer func() { _ = recover() }(); panic("caught") }, nil))
	failure := errors.New("error")
	for name, test := range map[string]struct {
		function func()
		value    any
	}{
		"a panic":           {func() { panic("text") }, "text"},
		"an error":          {func() { panic(failure) }, failure},
		"Goexit":            {runtime.Goexit, ErrGoexit},
		"Goexit in defer":   {func() { defer runtime.Goexit(); panic("first") }, ErrGoexit},
		"a panic in Goexit": {func() { defer panic("second"); runtime.Goexit() }, "second"},
	} {
		t.Run(name, func(t *testing.T) {
			ended := Guarded(test.function, nil)
			assert.Equal(t, test.value, ended.Value)
			assert.Contains(t, string(ended.Stack), "capi.Guarded.func1")
			assert.Equal(t, fmt.Sprint(test.value), ended.String())
		})
	}
	var null runtime.PanicNilError
	assert.IsType(t, &null, Guarded(func() { panic(nil) }, nil).Value)
	var fault runtime.Error
	assert.ErrorAs(t, Guarded(func() { _ = *(*int)(nil) }, nil).Value.(error), &fault)
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
	}, nil)
	assert.NotEqual(t, here, there)
	assert.True(t, finished)
}

// Who waits answers, while he waits.
func TestGuardedReadsItsMail(t *testing.T) {
	mailbox, here := make(chan func()), goroutine()
	answers := make(chan string)
	Guarded(func() {
		for range 3 {
			mailbox <- func() { go func(who string) { answers <- who }(goroutine()) }
			assert.Equal(t, here, <-answers)
		}
	}, mailbox)
	select {
	case mailbox <- func() {}:
		t.Error("nobody waits any more")
	default:
	}
}

// goroutine names the calling goroutine, like "goroutine 7".
func goroutine() string {
	stack := make([]byte, 64)
	stack = stack[:runtime.Stack(stack, false)]
	name, _, _ := bytes.Cut(stack, []byte(" ["))
	return string(name)
}
