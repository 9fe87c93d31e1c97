package hyperlight_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// One call's output can go elsewhere than the sandbox's.
func TestPrintPerCall(t *testing.T) {
	var all, one bytes.Buffer
	loaded := loadHandler(t, `function handler(event) { console.log(event); return null; }`, hyperlight.WithPrint(&all))
	call(t, loaded, `1`)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`2`), hyperlight.WithPrint(&one))
	require.NoError(t, err)
	call(t, loaded, `3`)
	assert.Equal(t, "1\n3\n", all.String())
	assert.Equal(t, "2\n", one.String())
}

func TestPrintPerCallWithoutOneForTheSandbox(t *testing.T) {
	loaded := loadHandler(t, `function handler(event) { console.log(event); throw new Error("x"); }`)
	var printed []string
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`1`),
		hyperlight.WithPrintFunc(func(text string) { printed = append(printed, text) }))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.Equal(t, []string{"1\n"}, printed, "output of a failed call is delivered")
}

// Guests flush every 512 bytes: the pieces of a longer line arrive as one.
func TestLongLineArrivesWhole(t *testing.T) {
	line := strings.Repeat("0123456789abcdef", 100)
	loaded := loadHandler(t, `function handler(event) { console.log(event); print(event); return null; }`)
	var printed []string
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"`+line+`"`),
		hyperlight.WithPrintFunc(func(text string) { printed = append(printed, text) }))
	require.NoError(t, err)
	assert.Equal(t, []string{line + "\n", line}, printed)
}

func TestPrintLimit(t *testing.T) {
	const million = `function handler() { for (let i = 0; i < 1200; i++) console.log("x".repeat(999)); return null; }`
	var out bytes.Buffer
	loaded := loadHandler(t, million, hyperlight.WithPrint(&out))
	call(t, loaded, `{}`)
	assert.Equal(t, hyperlight.DefaultPrintLimit, out.Len())
	out.Reset()
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithPrintLimit(1050))
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat("x", 999)+"\n"+strings.Repeat("x", 50), out.String())

	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithPrintLimit(-1))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	_, err = hyperlight.New(hyperlight.WithPrintLimit(-1))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
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
