package capi

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// guards are both ways to run what is a user's.
var guards = map[string]func(func()) *Panic{"Guarded": Guarded, "GuardedApart": GuardedApart}

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
		for how, guarded := range guards {
			t.Run(how+"/"+name, func(t *testing.T) {
				guarded(function) // Otherwise the process dies, or this test hangs or ends here.
				t.Log("still here")
			})
		}
	}
}

func TestGuardedTellsHowItEnded(t *testing.T) {
	assert.Nil(t, Guarded(func() {}))
	assert.Nil(t, Guarded(func() { defer func() { _ = recover() }(); panic("caught") }))
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
		for how, guarded := range guards {
			t.Run(how+"/"+name, func(t *testing.T) {
				ended := guarded(test.function)
				assert.Equal(t, test.value, ended.Value)
				assert.Contains(t, string(ended.Stack), "hyperlight-js/capi.endOf")
				assert.Equal(t, fmt.Sprint(test.value), ended.String())
			})
		}
	}
	var null runtime.PanicNilError
	assert.IsType(t, &null, Guarded(func() { panic(nil) }).Value)
	var fault runtime.Error
	assert.ErrorAs(t, Guarded(func() { _ = *(*int)(nil) }).Value.(error), &fault)
}

// t.FailNow ends its goroutine, which must not be the one with the native frames.
func TestGuardedRunsElsewhereAndWaits(t *testing.T) {
	for how, guarded := range guards {
		t.Run(how, func(t *testing.T) {
			here, there := goroutine(), ""
			own := Goroutine()
			assert.Equal(t, own, Goroutine(), "it stays the same")
			finished := false
			guarded(func() {
				there = goroutine()
				assert.NotEqual(t, own, Goroutine())
				defer func() { finished = true }()
				runtime.Gosched()
				runtime.Goexit()
			})
			assert.NotEqual(t, here, there)
			assert.True(t, finished)
			assert.Equal(t, own, Goroutine())
		})
	}
}

// What ended by Goexit has ended: no coroutine is left.
func TestGuardedLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 1000 {
		Guarded(runtime.Goexit)
		Guarded(func() { panic("text") })
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// goroutine names the calling goroutine, like "goroutine 7".
func goroutine() string {
	stack := make([]byte, 64)
	stack = stack[:runtime.Stack(stack, false)]
	name, _, _ := bytes.Cut(stack, []byte(" ["))
	return string(name)
}
