package hyperlight_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// functions are host functions by name, which loadWith puts into the module "host".
type functions map[string]any

// loadWith boots a sandbox with host functions and a handler, called "handler", that finds them in host.
func loadWith(t *testing.T, functions functions, source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	proto := newProto(t, opts...)
	for name, function := range functions {
		require.NoError(t, proto.Register("host", name, function))
	}
	return loadProto(t, proto, `import * as host from "host";`+source)
}

// evaluates runs the JavaScript expression that it gets and returns its value, or what it throws.
const evaluates = `
	globalThis.host = host;
	function handler(event) {
		try {
			const value = eval(event);
			return value === undefined ? "undefined" : value;
		} catch (e) {
			return e.name + ": " + e.message;
		}
	}`

// evaluate is call with JavaScript for an event.
func evaluate(t *testing.T, loaded *hyperlight.LoadedJSSandbox, expression string) string {
	t.Helper()
	event, err := hyperlight.RawJSON(expression)
	require.NoError(t, err)
	return call(t, loaded, string(event.JSON))
}

// thrown is what evaluate returns when a function of the module "host" fails with a text.
func thrown(name, text string) string {
	return fmt.Sprintf(`"InternalError: Host function error: Calling binary host function: `+
		`Calling host function \"host\" \"%s\" failed (HostFunctionError): `+
		`Error calling host function '%s' in module 'host': %s"`, name, name, text)
}

// fails runs "handler" and returns its error.
func fails(t *testing.T, loaded *hyperlight.LoadedJSSandbox, event string) error {
	t.Helper()
	result, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
	require.Error(t, err)
	assert.Nil(t, result)
	return err
}

func TestRegisterRefuses(t *testing.T) {
	proto := newProto(t)
	message := func(err error) string {
		t.Helper()
		require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		return asError(t, err).Message
	}
	assert.Equal(t, `function "f" of module "m": it is int, not a function`, message(proto.Register("m", "f", 1)))
	assert.Equal(t, `function "f" of module "m": its result (chan int) cannot go to JavaScript: chan int has no JSON`,
		message(proto.HostModule("m").Register("f", func() chan int { return nil })))
	assert.Equal(t, `function "f" of module "m" is nil`, message(proto.RegisterRaw("m", "f", nil)))
	assert.Equal(t, `function "f" of module "m" is nil`, message(proto.HostModule("m").RegisterRaw("f", nil)))
	for _, test := range []struct{ module, name, text string }{
		{"m\x00", "f", "the module name contains a NUL byte at offset 1"},
		{"m", "\x00f", "the function name contains a NUL byte at offset 0"},
		{"\xff", "f", "the module name is not UTF-8: invalid byte at offset 0"},
		{"m", "f\xff", "the function name is not UTF-8: invalid byte at offset 1"},
	} {
		assert.Equal(t, test.text, message(proto.Register(test.module, test.name, func() {})))
	}

	// The sandbox is as before.
	require.NoError(t, proto.Register("m", "f", func() int { return 7 }))
	loaded := loadProto(t, proto, `import * as m from "m"; function handler() { return [Object.keys(m), m.f()]; }`)
	assert.Equal(t, `[["f"],7]`, call(t, loaded, `{}`))
}

func TestRegisterTooLate(t *testing.T) {
	proto := newProto(t)
	module := proto.HostModule("m")
	loadProto(t, proto, counter)
	require.ErrorIs(t, proto.Register("m", "f", func() {}), hyperlight.ErrConsumed)
	require.ErrorIs(t, module.Register("f", func() {}), hyperlight.ErrConsumed)

	proto = newProto(t)
	require.NoError(t, proto.Close())
	require.ErrorIs(t, proto.Register("m", "f", func() {}), hyperlight.ErrClosed)
	require.ErrorIs(t, new(hyperlight.ProtoJSSandbox).Register("m", "f", func() {}), hyperlight.ErrClosed)
}

func TestTooManyNames(t *testing.T) {
	proto := newProto(t, hyperlight.WithUpstreamDefaults())
	name := func(i int) string { return fmt.Sprintf("%s%d", strings.Repeat("long", 25), i) }
	registered := 0
	var err error
	for err == nil {
		if err = proto.Register("m", name(registered), func() int { return 7 }); err == nil {
			registered++
		}
	}
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	assert.Regexp(t, `^the table of host functions needs \d+ bytes of the input buffer, which has 16384$`, asError(t, err).Message)
	assert.Greater(t, registered, 100)

	err = proto.Register(strings.Repeat("m", 8000), strings.Repeat("f", 8000), func() {})
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)

	// What was registered fits, to the byte.
	loaded := loadProto(t, proto, fmt.Sprintf(`
		import * as m from "m";
		function handler() { return [Object.keys(m).length, m.%s()]; }`, name(registered-1)))
	assert.Equal(t, fmt.Sprintf(`[%d,7]`, registered), call(t, loaded, `{}`))
}

func TestUnusualNames(t *testing.T) {
	proto := newProto(t)
	names := []string{"", " ", "default", "scoped/add/😊", "a\"b\\c\n", "__proto__", "constructor", "host:x", "crypto", strings.Repeat("n", 200)}
	for i, name := range names {
		require.NoError(t, proto.Register(name, name, func() int { return i }))
	}
	var imports, calls strings.Builder
	for i, name := range names {
		quoted, err := hyperlight.RawJSON(name)
		require.NoError(t, err)
		fmt.Fprintf(&imports, "import * as m%d from %s;\n", i, quoted.JSON)
		fmt.Fprintf(&calls, "m%d[%s](),", i, quoted.JSON)
	}
	loaded := loadProto(t, proto, imports.String()+"function handler() { return ["+calls.String()+"]; }")
	assert.Equal(t, `[0,1,2,3,4,5,6,7,8,9]`, call(t, loaded, `{}`))
}

// Three modules of the guest's own are loaded before any other.
func TestNamesOfTheGuestsOwnModules(t *testing.T) {
	proto := newProto(t)
	for _, name := range []string{"io", "console", "require"} {
		require.NoError(t, proto.Register(name, "f", func() {}))
	}
	loaded := loadProto(t, proto, `
		import * as a from "io";
		import * as b from "console";
		import * as c from "require";
		function handler() { return [typeof a.f, typeof b.f, typeof c.f]; }`)
	assert.Equal(t, `["undefined","undefined","undefined"]`, call(t, loaded, `{}`))
}

func TestLastRegistrationWins(t *testing.T) {
	proto := newProto(t)
	raw := func(context.Context, hyperlight.RawValue) (hyperlight.RawValue, error) {
		return hyperlight.RawJSON("raw")
	}
	first := func() string { return "first" }
	second := func() string { return "second" }
	require.NoError(t, proto.Register("m", "f", first))
	require.NoError(t, proto.HostModule("m").Register("f", second))
	require.NoError(t, proto.HostModule("m").Register("g", first))
	require.NoError(t, proto.HostModule("m").RegisterRaw("g", raw))
	require.NoError(t, proto.RegisterRaw("m", "h", raw))
	require.NoError(t, proto.Register("m", "h", first))
	loaded := loadProto(t, proto, `import * as m from "m"; function handler() { return [m.f(), m.g(), m.h()]; }`)
	assert.Equal(t, `["second","raw","first"]`, call(t, loaded, `{}`))
}

func TestFunctionsSurviveUnload(t *testing.T) {
	calls := 0
	loaded := loadWith(t, functions{"count": func() int { calls++; return calls }}, `function handler() { return host.count(); }`)
	assert.Equal(t, "1", call(t, loaded, `{}`))
	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`
		import * as host from "host";
		const atLoad = host.count();
		export function handler() { return [atLoad, host.count()]; }`)))
	again, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, again)
	assert.Equal(t, "[2,3]", call(t, again, `{}`))
}

type key struct{}

// A host function gets the context of the call that runs: HandleEvent's, or Load's.
func TestContextsOfCalls(t *testing.T) {
	proto := newProto(t)
	value := func(ctx context.Context) any { return ctx.Value(key{}) }
	require.NoError(t, proto.Register("host", "value", value))
	require.NoError(t, proto.RegisterRaw("host", "raw", func(ctx context.Context, _ hyperlight.RawValue) (hyperlight.RawValue, error) {
		return hyperlight.RawJSON(value(ctx))
	}))
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`
		import * as host from "host";
		const atLoad = host.value();
		export function handler() { return [atLoad, host.value(), host.raw()]; }`)))
	loaded, err := sandbox.Load(context.WithValue(t.Context(), key{}, "load"))
	require.NoError(t, err)
	closeWith(t, loaded)
	for _, name := range []string{"first", "second"} {
		result, err := loaded.HandleEvent(context.WithValue(t.Context(), key{}, name), "handler", []byte(`{}`))
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf(`["load",%q,%q]`, name, name), string(result))
	}
}

func TestHostFunctionFailsDuringLoad(t *testing.T) {
	proto := newProto(t)
	failure := errors.New("not today")
	require.NoError(t, proto.Register("host", "fail", func() error { return failure }))
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`
		import * as host from "host";
		host.fail();
		export function handler() {}`)))
	_, err = sandbox.Load(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	require.ErrorIs(t, err, failure)
}

type codeError struct{ code int }

func (e *codeError) Error() string { return fmt.Sprintf("code %d", e.code) }

func TestErrors(t *testing.T) {
	loaded := loadWith(t, functions{
		"fail":  func(code int) error { return fmt.Errorf("wrapped: %w", &codeError{code}) },
		"quiet": func() (string, error) { return "fine", nil },
	}, `
		function handler(event) {
			if (event.quiet) return host.quiet();
			try {
				host.fail(event.code);
			} catch (e) {
				if (event.caught) return e.message;
				if (event.other) throw new Error(event.other);
				if (event.wrap) throw new TypeError("in the guest: " + e.message);
				throw e;
			}
		}`)
	const text = `Host function error: Calling binary host function: Calling host function "host" "fail" failed (HostFunctionError): Error calling host function 'fail' in module 'host': wrapped: code 7`

	t.Run("caught", func(t *testing.T) {
		assert.Equal(t, thrown("fail", "wrapped: code 7"), `"InternalError: `+strings.TrimPrefix(call(t, loaded, `{"code":7,"caught":true}`), `"`))
	})
	t.Run("not caught", func(t *testing.T) {
		err := fails(t, loaded, `{"code":7}`)
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		require.NotErrorIs(t, err, hyperlight.ErrHostFunctionPanicked)
		assert.Equal(t, text, asError(t, err).Exception.Message)
		assert.Contains(t, asError(t, err).Exception.Stack, "at handler (./handler.js")
		var cause *codeError
		require.ErrorAs(t, err, &cause)
		assert.Equal(t, 7, cause.code)
	})
	t.Run("wrapped by the guest", func(t *testing.T) {
		err := fails(t, loaded, `{"code":7,"wrap":true}`)
		assert.Equal(t, "in the guest: "+text, asError(t, err).Exception.Message)
		var cause *codeError
		require.ErrorAs(t, err, &cause)
	})
	t.Run("replaced by the guest", func(t *testing.T) {
		var cause *codeError
		for _, other := range []string{"something else", "wrapped: code 7", "Error calling host function 'fail' in module 'host': wrapped: code 7"} {
			err := fails(t, loaded, fmt.Sprintf(`{"code":7,"other":%q}`, other))
			require.ErrorIs(t, err, hyperlight.ErrJSException)
			assert.False(t, errors.As(err, &cause), other)
		}
	})
	t.Run("from an earlier call", func(t *testing.T) {
		var cause *codeError
		err := fails(t, loaded, fmt.Sprintf(`{"code":8,"other":%q}`, text))
		assert.False(t, errors.As(err, &cause))
	})
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	assert.Equal(t, `"fine"`, call(t, loaded, `{"quiet":true}`))
}

// Upstream's message quotes the names as Rust does, which is not as Go does.
func TestErrorsOfUnusualNames(t *testing.T) {
	failure := errors.New("the cause")
	for _, name := range []string{"", "a b", "scoped/add/😊", `"\'`, "\t\n\r\x01\x7f", "\u200b\u00ad\u00a0", "e\u0301❤\ufe0f", "\u0e33\u0bbe", strings.Repeat("\x01", 300)} {
		proto := newProto(t)
		require.NoError(t, proto.Register(name, name, func() error { return failure }))
		quoted, err := json.Marshal(name)
		require.NoError(t, err)
		loaded := loadProto(t, proto, fmt.Sprintf(`import * as m from %s; function handler() { m[%[1]s](); }`, quoted))
		require.ErrorIs(t, fails(t, loaded, `{}`), failure, "%q", name)
		require.NoError(t, loaded.Close())
	}
}

// Whatever an error says, the guest gets as much of it as upstream gives it, and the sandbox stays ready.
func TestTextsOfErrors(t *testing.T) {
	var failure error
	loaded := loadWith(t, functions{"fail": func() error { return failure }}, `
		function handler(event) {
			if (event.caught) try { host.fail(); } catch (e) { return e.message; }
			host.fail();
		}`, hyperlight.WithInputBufferSize(8<<10), hyperlight.WithOutputBufferSize(8<<10))
	prefix := len("Host function error: Calling binary host function: Calling host function \"host\" \"fail\" failed (HostFunctionError): Error calling host function 'fail' in module 'host': ")
	room := 255 - prefix
	for name, test := range map[string]struct{ text, seen string }{
		"empty":             {"", ""},
		"NUL":               {"a\x00b", "a\ufffdb"},
		"not UTF-8":         {"a\xffb", "a\ufffdb"},
		"special":           {"\"\\\n\t\x1b😊\u200b'", "\"\\\n\t\x1b😊\u200b'"},
		"as long as can be": {strings.Repeat("x", room), strings.Repeat("x", room)},
		"longer":            {strings.Repeat("x", room+1), strings.Repeat("x", room)},
		"cut in a rune":     {strings.Repeat("x", room-1) + "é", strings.Repeat("x", room-1)},
		"huge":              {strings.Repeat("\x01", 1<<20), strings.Repeat("\x01", room)},
	} {
		t.Run(name, func(t *testing.T) {
			failure = errors.New(test.text)
			err := fails(t, loaded, `{}`)
			assert.Equal(t, test.seen, asError(t, err).Exception.Message[prefix:])
			require.ErrorIs(t, err, failure)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
			call(t, loaded, `{"caught":true}`)
		})
	}
}

func TestPanics(t *testing.T) {
	cause := errors.New("the cause")
	loaded := loadWith(t, functions{
		"panic":  func() { panic("boom") },
		"error":  func() { panic(cause) },
		"fault":  func() { _ = []int{}[len(t.Name())] },
		"goexit": func() { runtime.Goexit() },
		"fail":   func() error { panic(badError{}) },
		"text":   func() error { return badError{} },
		"fine":   func() int { return 7 },
	}, `
		function handler(event) {
			if (event.caught) try { host[event.name](); } catch (e) { return e.message; }
			return host[event.name]();
		}`)
	for name, test := range map[string]struct{ text, place string }{
		"panic":  {"boom", "host_functions_test.go"},
		"error":  {"the cause", "host_functions_test.go"},
		"fault":  {"runtime error: index out of range [10] with length 0", "host_functions_test.go"},
		"goexit": {"runtime.Goexit was called", "host_functions_test.go"},
		"fail":   {"%!v(PANIC=Error method: bad error)", "host_functions_test.go"},
		"text":   {"bad error", "host_functions_test.go"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fails(t, loaded, fmt.Sprintf(`{"name":%q}`, name))
			require.ErrorIs(t, err, hyperlight.ErrHostFunctionPanicked)
			require.ErrorIs(t, err, hyperlight.ErrJSException)
			assert.Equal(t, hyperlight.CodeHostFunctionPanicked, asError(t, err).Code)
			assert.Contains(t, err.Error(), "panicked: "+test.text)
			var panicked *hyperlight.HostPanic
			require.ErrorAs(t, err, &panicked)
			assert.Equal(t, "host", panicked.Module)
			assert.Equal(t, name, panicked.Function)
			assert.Equal(t, fmt.Sprintf(`host function %q of module "host" panicked: %s`, name, test.text), panicked.Error())
			assert.Contains(t, string(panicked.Stack), test.place)
			assert.Equal(t, name == "error", errors.Is(err, cause))

			assert.Contains(t, call(t, loaded, fmt.Sprintf(`{"name":%q,"caught":true}`, name)), "panicked: "+test.text)
			assert.Equal(t, `7`, call(t, loaded, `{"name":"fine"}`))
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
}

// badError cannot even say what it is.
type badError struct{}

func (badError) Error() string { panic("bad error") }

// A test that ends inside a host function must end, and not hang or kill the process.
func TestGoexitValue(t *testing.T) {
	loaded := loadWith(t, functions{"goexit": func() { runtime.Goexit() }}, `function handler() { host.goexit(); }`)
	var panicked *hyperlight.HostPanic
	require.ErrorAs(t, fails(t, loaded, `{}`), &panicked)
	assert.Equal(t, hyperlight.ErrGoexit, panicked.Value)
}

// The largest result that fits is as large as upstream allows; one byte more is an exception, and not the end
// of the sandbox.
func TestResultsAndTheInputBuffer(t *testing.T) {
	var size int
	loaded := loadWith(t, functions{
		"bytes": func() []byte { return make([]byte, size) },
		"text":  func() string { return strings.Repeat("x", size) },
		"both":  func() [][]byte { return [][]byte{make([]byte, size)} },
	}, `
		function handler(event) {
			try {
				const value = host[event]();
				return typeof value === "object" && !value.BYTES_PER_ELEMENT ? value[0].length : value.length;
			} catch (e) {
				return e.message;
			}
		}`, hyperlight.WithInputBufferSize(8<<10))
	for name, largest := range map[string]int{
		"bytes": 8<<10 - 16 - 64 - 1,
		"text":  8<<10 - 16 - 64 - 1 - len(`""`),
		"both":  8<<10 - 16 - 64 - 5 - 8 - len(`[{"__bin__":0}]`),
	} {
		t.Run(name, func(t *testing.T) {
			size = largest
			assert.Equal(t, fmt.Sprint(largest), call(t, loaded, fmt.Sprintf("%q", name)))
			for _, more := range []int{1, 1000, 1 << 20} {
				size = largest + more
				assert.Regexp(t, `: the result needs \d+ bytes of the input buffer, which has 8192"$`, call(t, loaded, fmt.Sprintf("%q", name)))
			}
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
}

func TestResultTooBigNotCaught(t *testing.T) {
	loaded := loadWith(t, functions{"big": func() []byte { return make([]byte, 16<<10) }},
		`function handler() { return host.big().length; }`, hyperlight.WithUpstreamDefaults())
	err := fails(t, loaded, `{}`)
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// A guest that names a Uint8Array many times must not make the host copy it as often.
func TestResultsThatRepeatABlob(t *testing.T) {
	loaded := loadWith(t, functions{"echo": func(v any) any { return v }}, `
		function handler(times) {
			const twice = host.echo([new Uint8Array([1]), {__bin__: 0}]);
			const all = [new Uint8Array(200000)];
			for (let i = 1; i < times; i++) all.push({__bin__: 0});
			try { return host.echo(all).length; } catch (e) { return twice[1][0] + e.message; }
		}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	result := call(t, loaded, `5000`)
	runtime.ReadMemStats(&after)
	assert.Regexp(t, `^"1Host function error: .*: the result needs 1000\d{6} bytes of the input buffer, which has 1048576"$`, result)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

// Arguments travel through the output buffer. What does not fit is the guest's error, before the call.
func TestArgumentsAndTheOutputBuffer(t *testing.T) {
	loaded := loadWith(t, functions{"count": func(data []byte) int { return len(data) }}, evaluates,
		hyperlight.WithOutputBufferSize(8<<10))
	assert.Equal(t, "7000", evaluate(t, loaded, `host.count(new Uint8Array(7000))`))
	assert.Contains(t, evaluate(t, loaded, `host.count(new Uint8Array(9000))`), "Not enough space in shared output buffer")
	assert.Equal(t, "7000", evaluate(t, loaded, `host.count(new Uint8Array(7000))`))
}

func TestManyCallsInOneEvent(t *testing.T) {
	loaded := loadWith(t, functions{"add": func(a, b int) int { return a + b }},
		`function handler(event) { let sum = 0; for (let i = 0; i < event; i++) sum = host.add(sum, i); return sum; }`)
	assert.Equal(t, "1999000", call(t, loaded, "2000"))
}

func TestRawFunctions(t *testing.T) {
	proto := newProto(t)
	var args hyperlight.RawValue
	var result hyperlight.RawValue
	require.NoError(t, proto.RegisterRaw("host", "raw", func(_ context.Context, given hyperlight.RawValue) (hyperlight.RawValue, error) {
		args = given
		return result, nil
	}))
	loaded := loadProto(t, proto, `import * as host from "host";`+evaluates)

	evaluate(t, loaded, `host.raw("x", new Uint8Array([1, 2]), {b: [new Uint8Array(0)], a: 1})`)
	assert.Equal(t, `["x",{"__bin__":0},{"a":1,"b":[{"__bin__":1}]}]`, string(args.JSON))
	assert.Equal(t, [][]byte{{1, 2}, {}}, args.Blobs)
	var text string
	var data []byte
	require.NoError(t, args.Unmarshal(&[]any{&text, &data}))

	for _, test := range []struct {
		name, result string
		value        hyperlight.RawValue
	}{
		{"nothing", `null`, hyperlight.RawValue{}},
		{"JSON", `[1,{"a":"x"}]`, hyperlight.RawValue{JSON: []byte(" [ 1 , { \"a\" : \"x\" } ] ")}},
		{"bytes", `{"0":1,"1":2}`, hyperlight.RawBytes([]byte{1, 2})},
		{"no bytes", `{}`, hyperlight.RawBytes(nil)},
		{"second blob", `{"0":2}`, hyperlight.RawValue{JSON: []byte(`{"__bin__":1}`), Blobs: [][]byte{{1}, {2}}}},
		{"blobs twice", `[{"0":1},{"0":1}]`, hyperlight.RawValue{JSON: []byte(`[{"__bin__":0}, {"__bin__" : 0}]`), Blobs: [][]byte{{1}}}},
		{"unused blobs", `5`, hyperlight.RawValue{JSON: []byte(`5`), Blobs: [][]byte{{1}}}},
		{"no blobs", `{"__bin__":7}`, hyperlight.RawValue{JSON: []byte(`{"__bin__":7}`)}},
		{"no such blob", thrown("raw", "the result: Binary placeholder index 1 out of bounds (have 1 blobs) at line 1 column 13"),
			hyperlight.RawValue{JSON: []byte(`{"__bin__":1}`), Blobs: [][]byte{{1}}}},
		{"no JSON", thrown("raw", "the result is not JSON: expected value at line 1 column 1"), hyperlight.RawValue{JSON: []byte(`undefined`)}},
		{"half a surrogate pair", thrown("raw", "the result is not JSON: unexpected end of hex escape at line 1 column 8"),
			hyperlight.RawValue{JSON: []byte(`"\ud800"`)}},
		{"not UTF-8", thrown("raw", "the result is not UTF-8: invalid byte at offset 1"), hyperlight.RawValue{JSON: []byte("\"\xff\"")}},
		{"too deep", thrown("raw", "the result: JSON nesting depth exceeds maximum (64) at line 1 column 65"),
			hyperlight.RawValue{JSON: []byte(strings.Repeat("[", 65) + "1" + strings.Repeat("]", 65))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			result = test.value
			assert.Equal(t, test.result, evaluate(t, loaded, `host.raw()`))
		})
	}
}

// A host function may use other sandboxes, whose own host functions have their own contexts.
func TestOtherSandboxes(t *testing.T) {
	leaf := loadWith(t, functions{"double": func(ctx context.Context, x int) (string, error) {
		return fmt.Sprintf("%d %v", 2*x, ctx.Value(key{})), nil
	}}, `function handler(event) { if (event < 0) throw new Error("negative"); return host.double(event); }`)
	loaded := loadWith(t, functions{"ask": func(ctx context.Context, x int) (string, error) {
		result, err := leaf.HandleEvent(context.WithValue(ctx, key{}, "leaf"), "handler", []byte(fmt.Sprint(x)))
		return string(result), err
	}}, `function handler(event) { return host.ask(event); }`)
	for x := range 3 {
		assert.Equal(t, fmt.Sprintf(`"\"%d leaf\""`, 2*x), call(t, loaded, fmt.Sprint(x)))
	}
	outer := asError(t, fails(t, loaded, "-1"))
	require.NotNil(t, outer.Exception)
	assert.Equal(t, "negative", asError(t, outer.Exception.Unwrap()).Exception.Message)
}

func TestFunctionsInParallel(t *testing.T) {
	const sandboxes, rounds = 4, 50
	var mu sync.Mutex
	total := 0
	var wait sync.WaitGroup
	for i := range sandboxes {
		loaded := loadWith(t, functions{"add": func(x int, data []byte) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			total += x
			if x%7 == 3 {
				return nil, io.EOF
			}
			return append(data, byte(i)), nil
		}}, `
			function handler(event) {
				try { return Array.from(host.add(event, new Uint8Array([event]))); } catch (e) { return null; }
			}`)
		wait.Go(func() {
			for x := range rounds {
				expected := fmt.Sprintf("[%d,%d]", x, i)
				if x%7 == 3 {
					expected = "null"
				}
				if result := call(t, loaded, fmt.Sprint(x)); result != expected {
					t.Errorf("%s instead of %s", result, expected)
				}
			}
		})
	}
	wait.Wait()
	assert.Equal(t, sandboxes*rounds*(rounds-1)/2, total)
}
