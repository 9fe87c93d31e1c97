package hyperlight_test

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestWithPrint(t *testing.T) {
	var out bytes.Buffer
	loaded := loadHandler(t, `function handler(event) {
		console.log("Hello,", event.name);
		print("no newline");
		return null;
	}`, hyperlight.WithPrint(&out))
	call(t, loaded, `{"name":"World ☃"}`)
	assert.Equal(t, "Hello, World ☃\nno newline", out.String())
	out.Reset()
	call(t, loaded, `{"name":"again"}`)
	assert.Equal(t, "Hello, again\nno newline", out.String())
}

func TestLastPrintWins(t *testing.T) {
	var first, last bytes.Buffer
	loaded := loadHandler(t, `function handler() { console.log("x"); return null; }`,
		hyperlight.WithPrint(&first), hyperlight.WithPrint(&last))
	call(t, loaded, `{}`)
	assert.Empty(t, first.String())
	assert.Equal(t, "x\n", last.String())
}

func TestPrintAtTheTopLevel(t *testing.T) {
	var out bytes.Buffer
	loadHandler(t, `console.log("loaded"); function handler() {}`, hyperlight.WithPrint(&out))
	assert.Equal(t, "loaded\n", out.String())
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Whatever a writer does, it cannot unwind through the guest or hurt the sandbox.
func TestBadWriters(t *testing.T) {
	for name, write := range map[string]writerFunc{
		"error":  func([]byte) (int, error) { return 0, errors.New("disk full") },
		"panic":  func([]byte) (int, error) { panic("boom") },
		"nil":    nil,
		"Goexit": func([]byte) (int, error) { runtime.Goexit(); return 0, nil },
		"FailNow": func([]byte) (int, error) {
			(&testing.T{}).FailNow()
			return 0, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			loaded := loadHandler(t, `let n = 0; function handler() { console.log("x"); return ++n; }`,
				hyperlight.WithPrint(write))
			assert.Equal(t, "1", call(t, loaded, `{}`))
			assert.Equal(t, "2", call(t, loaded, `{}`))
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
}

// A print function may use other sandboxes.
func TestPrintUsesAnotherSandbox(t *testing.T) {
	inner := loadHandler(t, counter)
	var got string
	outer := loadHandler(t, `function handler() { console.log("x"); return null; }`,
		hyperlight.WithPrint(writerFunc(func(p []byte) (int, error) {
			result, err := inner.HandleEvent(t.Context(), "handler", []byte(`{}`))
			got = string(result)
			return len(p), err
		})))
	call(t, outer, `{}`)
	assert.Equal(t, `{"count":1}`, got)
}
