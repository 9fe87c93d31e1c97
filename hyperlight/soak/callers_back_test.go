package soak_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// hostileError panics when it is asked for its text.
type hostileError struct{}

func (hostileError) Error() string { panic(errHostile) }

// Host functions can be hostile callers, too. What they return, panic with, and do to the very sandbox that waits for
// them, ends in an exception that JavaScript could catch, and leaves the sandbox as it was.
func TestHostileHostFunctions(t *testing.T) {
	var loaded *hyperlight.LoadedJSSandbox
	raw := func(text string, blobs ...[]byte) hyperlight.RawFunc {
		return func(context.Context, hyperlight.RawValue) (hyperlight.RawValue, error) {
			return hyperlight.RawValue{JSON: []byte(text), Blobs: blobs}, nil
		}
	}
	bad := functions{
		"cycle":          func() any { return cycle() },
		"channel":        func() any { return make(chan int) },
		"function":       func() any { return func() {} },
		"marshaler":      func() any { return hostileFile{} },
		"panicking":      func() any { return hostileFile{panics: true} },
		"deep":           func() json.RawMessage { return json.RawMessage(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)) },
		"malformed":      func() json.RawMessage { return json.RawMessage("{") },
		"huge":           func() []byte { return make([]byte, 2<<20) },
		"huge text":      func() string { return strings.Repeat("x", 2<<20) },
		"error":          func() error { return errHostile },
		"no text":        func() error { return hostileError{} },
		"nil error":      func() error { return (*hyperlight.Error)(nil) },
		"panic":          func() { panic(errHostile) },
		"panic with nil": func() { panic(nil) },
		"panic and text": func() { panic(hostileError{}) },
		"Goexit":         func() { runtime.Goexit() },
		"raw malformed":  raw("{"),
		"raw deep":       raw(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)),
		"raw blobs":      raw(`[{"__bin__":7},{"__bin__":-1}]`, nil, []byte{1}),
		"raw huge":       raw("1", make([]byte, 2<<20)),
		"raw invalid":    raw("\"\xff\""),
	}
	late := make(chan context.Context, 1)
	proto := newProto(t, functions{
		"late":   func(ctx context.Context) { late <- ctx },
		"itself": func(ctx context.Context) { useItself(t, ctx, loaded) },
	})
	for name, function := range bad {
		if function, ok := function.(hyperlight.RawFunc); ok {
			require.NoError(t, proto.RegisterRaw("host", name, function))
			continue
		}
		require.NoError(t, proto.Register("host", name, function))
	}
	sandbox := boot(t, proto)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`import * as host from "host";
		let count = 0;
		function handler(name) { ++count; if (name) host[name](); return count; }`)))
	var err error
	loaded, err = sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)

	calls := 0
	for range size(1, 8) {
		for _, name := range slices.Sorted(maps.Keys(bad)) {
			_, err := loaded.HandleEvent(t.Context(), "handler", fmt.Appendf(nil, "%q", name))
			calls++
			require.ErrorIs(t, err, hyperlight.ErrJSException, name)
			require.Empty(t, whatIsWrong(err), name)
			require.Equal(t, hyperlight.StatusReady, loaded.Status(), name)
		}
		for _, name := range []string{"itself", "late", ""} {
			calls++
			require.Equal(t, fmt.Sprint(calls), call(t, loaded, fmt.Sprintf("%q", name)), "nothing was lost")
		}
		ctx := <-late
		require.ErrorIs(t, ctx.Err(), context.Canceled, "the call is over")
		_, err = loaded.HandleEvent(ctx, "handler", []byte(`""`))
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, hyperlight.ErrCancelled, "nothing ran")
	}
}

// useItself calls every method of the sandbox that waits for the caller, but Close.
func useItself(t *testing.T, ctx context.Context, loaded *hyperlight.LoadedJSSandbox) {
	object := reflect.ValueOf(loaded)
	for i := range object.NumMethod() {
		name := object.Type().Method(i).Name
		if name == "Close" {
			continue
		}
		method := object.Method(i)
		arguments := make([]reflect.Value, method.Type().NumIn())
		for p := range arguments {
			arguments[p] = reflect.Zero(method.Type().In(p))
		}
		waits := len(arguments) > 0
		if waits {
			arguments[0] = reflect.ValueOf(ctx)
		}
		done := watch(name, arguments)
		var results []reflect.Value
		if method.Type().IsVariadic() {
			results = method.CallSlice(arguments)
		} else {
			results = method.Call(arguments)
		}
		done()
		err, _ := results[len(results)-1].Interface().(error)
		if waits && name != "Restore" { // That looks at the snapshot first, which is nil.
			assert.ErrorIs(t, err, hyperlight.ErrReentrant, name)
		}
	}
}
