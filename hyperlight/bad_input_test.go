package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// exceptionText is how upstream words an exception.
func exceptionText(message, stack string) string {
	return fmt.Sprintf("Guest error occurred GuestError: Error: Runtime error: Exception(\n"+
		"    Exception {\n        message: Some(\n            %q,\n        ),\n"+
		"        stack: Some(\n            %q,\n        ),\n    },\n)", message, stack)
}

func TestBadScripts(t *testing.T) {
	for name, test := range map[string]struct {
		source    string
		sentinel  error
		exception *hyperlight.JSException
		text      string
	}{
		"empty": {
			``, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "exported variable 'handler' does not exist"},
			exceptionText("exported variable 'handler' does not exist", ""),
		},
		"no handler function": {
			`const x = 1;`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "exported variable 'handler' does not exist"},
			exceptionText("exported variable 'handler' does not exist", ""),
		},
		"handler is no function": {
			`export const handler = 7;`, hyperlight.ErrGuest, nil,
			"Guest error occurred GuestError: Error: Runtime error: Error(\n    FromJs {\n" +
				"        from: \"int\",\n        to: \"function\",\n        message: None,\n    },\n)",
		},
		"syntax error": {
			"function handler( {", hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "Unexpected token ';'", Stack: "    at ./handler.js:2:18\n"},
			exceptionText("Unexpected token ';'", "    at ./handler.js:2:18\n"),
		},
		"exception at the top level": {
			`throw new Error("top"); function handler() {}`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "top", Stack: "    at <anonymous> (./handler.js:1:10)\n"},
			exceptionText("top", "    at <anonymous> (./handler.js:1:10)\n"),
		},
		"missing import": {
			"import x from 'nope';\nexport function handler() { return x; }", hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "Error resolving module 'nope' from './handler.js'"},
			exceptionText("Error resolving module 'nope' from './handler.js'", ""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(test.source)))
			loaded, err := sandbox.Load(t.Context())
			require.ErrorIs(t, err, test.sentinel)
			assert.Nil(t, loaded)
			assert.EqualError(t, err, "hyperlight: Load: "+test.text)
			assert.Equal(t, test.exception, asError(t, err).Exception)
			assert.Equal(t, hyperlight.StatusConsumed, sandbox.Status(), "upstream consumes it")
		})
	}
}

func TestHandlersThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		source    string
		sentinel  error
		exception *hyperlight.JSException
		text      string
	}{
		"returns nothing": {
			`function handler() {}`, hyperlight.ErrNoValue, nil,
			"Guest error occurred GuestError: Error: The handler function did not return a value",
		},
		"throws an Error": {
			`function handler() { throw new TypeError('a "b" \n\u0000 é'); }`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "a \"b\" \n\x00 é", Stack: "    at handler (./handler.js:1:31)\n"},
			"Guest error occurred GuestError: Error: Runtime error: Exception(\n    Exception {\n" +
				"        message: Some(\n            \"a \\\"b\\\" \\n\\0 é\",\n        ),\n" +
				"        stack: Some(\n            \"    at handler (./handler.js:1:31)\\n\",\n        ),\n    },\n)",
		},
		"throws a string": {
			`function handler() { throw "just \"text\""; }`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: `just "text"`, Thrown: hyperlight.ThrownString},
			"Guest error occurred GuestError: Error: Runtime error: Value(\n    String(Ok(\n" +
				"        \"just \\\"text\\\"\",\n    )),\n)",
		},
		"throws a number": {
			`function handler() { throw 7; }`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "7", Thrown: hyperlight.ThrownNumber},
			"Guest error occurred GuestError: Error: Runtime error: Value(\n    Int(7),\n)",
		},
		"throws null": {
			`function handler() { throw null; }`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "null", Thrown: hyperlight.ThrownNull},
			"Guest error occurred GuestError: Error: Runtime error: Value(\n    Null\"null\",\n)",
		},
		"throws from an async function": {
			`async function handler() { throw new Error("late"); }`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "late", Stack: "    at handler (./handler.js:1:37)\n"},
			exceptionText("late", "    at handler (./handler.js:1:37)\n"),
		},
		"never settles": {
			`function handler() { return new Promise(() => {}); }`, hyperlight.ErrGuest, nil,
			"Guest error occurred GuestError: Error: Runtime error: Error(\n    WouldBlock,\n)",
		},
		"returns a cycle": {
			`function handler() { const a = {}; a.a = a; return a; }`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "circular reference"},
			exceptionText("circular reference", ""),
		},
		"forges a missing handler": {
			`function handler() { throw new Error("No handler registered for function handler"); }`, hyperlight.ErrJSException,
			&hyperlight.JSException{
				Message: "No handler registered for function handler",
				Stack:   "    at handler (./handler.js:1:31)\n",
			},
			exceptionText("No handler registered for function handler", "    at handler (./handler.js:1:31)\n"),
		},
		"forges a stack": {
			`function handler() { const e = new Error("m"); e.stack = '"), }, message: Some("x'; throw e; }`, hyperlight.ErrJSException,
			&hyperlight.JSException{Message: "m", Stack: `"), }, message: Some("x`},
			exceptionText("m", `"), }, message: Some("x`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			loaded := loadHandler(t, test.source)
			result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
			require.ErrorIs(t, err, test.sentinel)
			assert.Nil(t, result)
			assert.ErrorIs(t, err, hyperlight.ErrGuest)
			assert.NotErrorIs(t, err, hyperlight.ErrHandlerNotFound)
			assert.EqualError(t, err, "hyperlight: HandleEvent: "+test.text)
			assert.Equal(t, test.exception, asError(t, err).Exception)
			if test.exception != nil {
				var exception *hyperlight.JSException
				require.ErrorAs(t, err, &exception)
				assert.Equal(t, test.exception.Message, exception.Error())
				verbose := err.Error()
				if exception.Stack != "" {
					verbose += "\n" + exception.Stack
				}
				assert.Equal(t, verbose, fmt.Sprintf("%+v", err))
			}
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
}

func TestBadEvents(t *testing.T) {
	loaded := loadHandler(t, `function handler(event) { return event; }`)
	const badJSON = "Conversion of str data to json failed: "
	for name, test := range map[string]struct {
		event    string
		sentinel error
		text     string
	}{
		"empty":    {"", hyperlight.ErrInvalidJSON, badJSON + "EOF while parsing a value at line 1 column 0"},
		"cut":      {`{"a":`, hyperlight.ErrInvalidJSON, badJSON + "EOF while parsing a value at line 1 column 5"},
		"two":      {`1 2`, hyperlight.ErrInvalidJSON, badJSON + "trailing characters at line 1 column 3"},
		"bare":     {`hello`, hyperlight.ErrInvalidJSON, badJSON + "expected value at line 1 column 1"},
		"NaN":      {`NaN`, hyperlight.ErrInvalidJSON, badJSON + "expected value at line 1 column 1"},
		"too deep": {strings.Repeat("[", 1000), hyperlight.ErrInvalidJSON, badJSON + "recursion limit exceeded at line 1 column 128"},
		"lone surrogate": {
			`"\ud800"`, hyperlight.ErrInvalidJSON,
			badJSON + "unexpected end of hex escape at line 1 column 8",
		},
		"NUL byte": {
			"{\"a\":\"\x00\"}", hyperlight.ErrInvalidJSON,
			badJSON + "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 7",
		},
		"invalid UTF-8": {
			"{\"a\":\"\xff\"}", hyperlight.ErrInvalidArgument,
			"the event is not UTF-8: invalid byte at offset 6",
		},
		"20 MB": {
			`"` + strings.Repeat("x", 20<<20) + `"`, hyperlight.ErrBufferTooSmall,
			"Failed to execute shared memory operation: Not enough space in buffer to push data. " +
				"Required: 20971708, Available: 1048568: handler name and event have 20971529 bytes, the input buffer 1048576 (raise WithInputBufferSize)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(test.event))
			require.ErrorIs(t, err, test.sentinel)
			assert.EqualError(t, err, "hyperlight: HandleEvent: "+test.text)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
			assert.Equal(t, `1`, call(t, loaded, `1`), "the sandbox is as before")
		})
	}
}

// What does not fit by default fits when the sandbox is made for it.
func TestBigEvent(t *testing.T) {
	loaded := loadHandler(t, `function handler(event) { return event.length; }`,
		hyperlight.WithInputBufferSize(21<<20), hyperlight.WithHeapSize(128<<20), hyperlight.WithScratchSize(192<<20))
	assert.Equal(t, `20971520`, call(t, loaded, `"`+strings.Repeat("x", 20<<20)+`"`))
}

func TestBadHandlerNames(t *testing.T) {
	sandbox := newSandbox(t)
	script := hyperlight.Script(counter)
	require.NoError(t, sandbox.AddHandler("taken", script))
	loaded := loadHandler(t, counter)
	add := func(name string) error { return sandbox.AddHandler(name, script) }
	call := func(name string) error {
		_, err := loaded.HandleEvent(t.Context(), name, []byte(`{}`))
		return err
	}
	for name, test := range map[string]struct {
		use      func(name string) error
		name     string
		sentinel error
		text     string
	}{
		"add empty":            {add, "", hyperlight.ErrInvalidArgument, "AddHandler: Handler name must not be empty"},
		"add taken":            {add, "taken", hyperlight.ErrHandlerExists, "AddHandler: Handler already exists for function name: taken"},
		"add with a NUL byte":  {add, "a\x00b", hyperlight.ErrInvalidArgument, "AddHandler: the handler name contains a NUL byte at offset 1"},
		"add invalid UTF-8":    {add, "a\xff", hyperlight.ErrInvalidArgument, "AddHandler: the handler name is not UTF-8: invalid byte at offset 1"},
		"remove empty":         {sandbox.RemoveHandler, "", hyperlight.ErrInvalidArgument, "RemoveHandler: Handler name must not be empty"},
		"remove unknown":       {sandbox.RemoveHandler, "x", hyperlight.ErrHandlerNotFound, "RemoveHandler: Handler does not exist for function name: x"},
		"remove invalid UTF-8": {sandbox.RemoveHandler, "\xff", hyperlight.ErrInvalidArgument, "RemoveHandler: the handler name is not UTF-8: invalid byte at offset 0"},
		"call empty":           {call, "", hyperlight.ErrInvalidArgument, "HandleEvent: Handler name must not be empty"},
		"call unknown":         {call, "x", hyperlight.ErrHandlerNotFound, "HandleEvent: Guest error occurred GuestError: Error: No handler registered for function x"},
		"call with a NUL byte": {call, "a\x00b", hyperlight.ErrInvalidArgument, "HandleEvent: the handler name contains a NUL byte at offset 1"},
		"call invalid UTF-8":   {call, "\xff", hyperlight.ErrInvalidArgument, "HandleEvent: the handler name is not UTF-8: invalid byte at offset 0"},
		"call too long": {
			call, strings.Repeat("n", 2<<20), hyperlight.ErrBufferTooSmall,
			"HandleEvent: Failed to execute shared memory operation: Not enough space in buffer to push data. " +
				"Required: 2097336, Available: 1048568: handler name and event have 2097154 bytes, the input buffer 1048576 (raise WithInputBufferSize)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.use(test.name)
			require.ErrorIs(t, err, test.sentinel)
			assert.EqualError(t, err, "hyperlight: "+test.text)
			assert.Equal(t, hyperlight.StatusReady, sandbox.Status())
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
}

func TestScriptsThatAreNoText(t *testing.T) {
	sandbox := newSandbox(t)
	for name, test := range map[string]struct{ source, text string }{
		"NUL byte":      {"//\x00", "the script contains a NUL byte at offset 2"},
		"invalid UTF-8": {"//\xff", "the script is not UTF-8: invalid byte at offset 2"},
	} {
		t.Run(name, func(t *testing.T) {
			err := sandbox.AddHandler("handler", hyperlight.Script(test.source))
			require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
			assert.EqualError(t, err, "hyperlight: AddHandler: "+test.text)
			assert.Equal(t, hyperlight.StatusReady, sandbox.Status())
		})
	}
}

// The library refuses a script that the input buffer cannot carry before upstream would consume the
// sandbox over it, and no smaller one.
func TestScriptsAtTheLimitOfTheInputBuffer(t *testing.T) {
	padded := func(n int) hyperlight.JSScript {
		return hyperlight.Script(counter + "//" + strings.Repeat("x", n))
	}
	for _, name := range []string{"handler", "h", "a longer name, whose length shifts the alignment"} {
		sandbox := newSandbox(t, hyperlight.WithUpstreamDefaults())
		fits := 0
		for n := 16 << 10; n > 0; n-- {
			err := sandbox.AddHandler(name, padded(n))
			if err == nil {
				fits = n
				break
			}
			require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
			require.Contains(t, err.Error(), "bytes of the input buffer, which has 16384 (raise WithInputBufferSize)")
		}
		require.Greater(t, fits, 15_000)
		loaded, err := sandbox.Load(t.Context())
		require.NoError(t, err)
		closeWith(t, loaded)
	}
}

func TestGuestsThatRunOutOfMemory(t *testing.T) {
	for name, test := range map[string]struct {
		source   string
		sentinel error
		text     string
	}{
		"deep recursion": {
			`function handler() { function f(n) { return f(n + 1) + 1; } return f(0); }`, hyperlight.ErrOutOfMemory,
			"Guest aborted: 13 Out of physical memory (raise WithHeapSize and WithScratchSize)",
		},
		"endless allocation": {
			`function handler() { const all = []; for (;;) all.push(new Array(1000).fill(7)); }`, hyperlight.ErrOutOfMemory,
			"Guest aborted: 13  (raise WithHeapSize and WithScratchSize)",
		},
		"a result beyond the output buffer": {
			`function handler() { return "x".repeat(2_000_000); }`, hyperlight.ErrOutputTooBig,
			"Not enough space in shared output buffer. Required: 2000080, Available: 1048568\" } (raise WithOutputBufferSize)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bystander := loadHandler(t, counter)
			loaded := loadHandler(t, test.source)
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
			require.ErrorIs(t, err, test.sentinel)
			assert.ErrorIs(t, err, hyperlight.ErrGuestAborted)
			assert.Contains(t, err.Error(), "hyperlight: HandleEvent: Guest aborted: ")
			assert.True(t, strings.HasSuffix(err.Error(), test.text), err.Error())
			assert.NotZero(t, asError(t, err).GuestCode)
			assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())

			_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
			require.ErrorIs(t, err, hyperlight.ErrPoisoned)
			assert.EqualError(t, err, "hyperlight: HandleEvent: The sandbox was poisoned (restore a snapshot, unload or close it)")

			assert.Equal(t, `{"count":1}`, call(t, bystander, `{}`), "another sandbox does not notice")
			sandbox, err := loaded.Unload(t.Context())
			require.NoError(t, err)
			closeWith(t, sandbox)
			assert.Equal(t, hyperlight.StatusReady, sandbox.Status())
			require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
			loaded, err = sandbox.Load(t.Context())
			require.NoError(t, err)
			closeWith(t, loaded)
			assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
		})
	}
}

func TestContextsThatEndedBefore(t *testing.T) {
	loaded := loadHandler(t, counter)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, ctx := range []context.Context{cancelled, expired} {
		_, err := loaded.HandleEvent(ctx, "handler", []byte(`{}`))
		require.ErrorIs(t, err, ctx.Err())
		assert.EqualError(t, err, "hyperlight: HandleEvent: the guest did not run: "+ctx.Err().Error())
		_, err = loaded.Unload(ctx)
		require.ErrorIs(t, err, ctx.Err())
	}
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`), "nothing ran")
}

func TestMissingArguments(t *testing.T) {
	loaded := loadHandler(t, counter)
	//lint:ignore SA1012 that is the point
	_, err := loaded.HandleEvent(nil, "handler", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.EqualError(t, err, "hyperlight: HandleEvent: ctx is nil; pass context.Background()")
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.Equal(t, `{"count":1}`, call(t, loaded, `{}`))
}

// uses calls every method that needs the contents.
func uses(t *testing.T, proto *hyperlight.ProtoJSSandbox, sandbox *hyperlight.JSSandbox, loaded *hyperlight.LoadedJSSandbox) map[string]error {
	t.Helper()
	result := map[string]error{}
	result["SetModuleLoader"] = proto.SetModuleLoader(fstest.MapFS{})
	_, result["LoadRuntime"] = proto.LoadRuntime(t.Context())
	result["AddHandler"] = sandbox.AddHandler("x", hyperlight.Script(counter))
	result["RemoveHandler"] = sandbox.RemoveHandler("x")
	result["ClearHandlers"] = sandbox.ClearHandlers()
	_, result["Load"] = sandbox.Load(t.Context())
	_, result["HandleEvent"] = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	_, result["HandleEvents"] = loaded.HandleEvents(t.Context(), "handler", nil)
	_, result["Unload"] = loaded.Unload(t.Context())
	return result
}

func TestUseAfterClose(t *testing.T) {
	proto, err := hyperlight.New()
	require.NoError(t, err)
	sandbox, loaded := newSandbox(t), loadHandler(t, counter)
	for _, closer := range []io.Closer{proto, sandbox, loaded} {
		require.NoError(t, closer.Close())
		require.NoError(t, closer.Close(), "twice")
	}
	for op, err := range uses(t, proto, sandbox, loaded) {
		require.ErrorIs(t, err, hyperlight.ErrClosed, op)
		assert.EqualError(t, err, "hyperlight: "+op+": the sandbox is closed")
	}
	for _, status := range []hyperlight.Status{proto.Status(), sandbox.Status(), loaded.Status()} {
		assert.Equal(t, hyperlight.StatusClosed, status)
	}
}

func TestUseAfterBeingConsumed(t *testing.T) {
	proto, err := hyperlight.New()
	require.NoError(t, err)
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	last, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, last)

	check := func() {
		for op, err := range uses(t, proto, sandbox, loaded) {
			require.ErrorIs(t, err, hyperlight.ErrConsumed, op)
			assert.EqualError(t, err, "hyperlight: "+op+": the sandbox has already been consumed")
		}
		for _, status := range []hyperlight.Status{proto.Status(), sandbox.Status(), loaded.Status()} {
			assert.Equal(t, hyperlight.StatusConsumed, status)
		}
	}
	check()
	for _, closer := range []io.Closer{proto, sandbox, loaded} {
		require.NoError(t, closer.Close())
	}
	check()
	require.NoError(t, last.AddHandler("x", hyperlight.Script(counter)), "the contents live on")
}

func TestZeroValues(t *testing.T) {
	proto, sandbox, loaded := &hyperlight.ProtoJSSandbox{}, &hyperlight.JSSandbox{}, &hyperlight.LoadedJSSandbox{}
	for op, err := range uses(t, proto, sandbox, loaded) {
		require.ErrorIs(t, err, hyperlight.ErrClosed, op)
	}
	for op, err := range uses(t, nil, nil, nil) {
		require.ErrorIs(t, err, hyperlight.ErrClosed, op)
	}
	assert.Equal(t, hyperlight.StatusClosed, (*hyperlight.LoadedJSSandbox)(nil).Status())
	require.NoError(t, (*hyperlight.LoadedJSSandbox)(nil).Close(), "as in a defer, before the error is looked at")
	require.ErrorIs(t, new(hyperlight.HostModule).Register("f", func() {}), hyperlight.ErrClosed)
	for _, logs := range []*hyperlight.LogForwarder{nil, {}} {
		require.ErrorIs(t, logs.Stop(t.Context()), hyperlight.ErrClosed)
		require.ErrorIs(t, logs.SetLevel(hyperlight.LevelTrace), hyperlight.ErrClosed)
		assert.Zero(t, logs.Dropped())
	}
	require.NoError(t, errors.Join(proto.Close(), sandbox.Close(), loaded.Close()))
	assert.Equal(t, hyperlight.StatusClosed, loaded.Status())
}

// Upstream makes a tree of an event before it looks at the size; this one's would take 3 GB.
func TestHugeEventsAreRefusedAtOnce(t *testing.T) {
	loaded := loadHandler(t, counter)
	event := []byte("[" + strings.Repeat("[],", 40_000_000) + "1]")
	_, err := loaded.HandleEvent(t.Context(), "handler", event)
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	require.JSONEq(t, `{"count":1}`, call(t, loaded, "{}"))
}

// The guest's errors bring names back, and the guest aborts when that does not fit. The output buffer may be the smaller.
func TestNamesThatErrorsCannotBringBack(t *testing.T) {
	sandbox := newSandbox(t, hyperlight.WithOutputBufferSize(8<<10))
	name := strings.Repeat("n", 8<<10-256)
	const tooLong = " has 7937 bytes, and may have 7936, since errors bring it back through the output buffer of 8192"
	err := sandbox.AddHandler(name+"n", hyperlight.Script(counter))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	require.EqualError(t, err, "hyperlight: AddHandler: the handler name, with its base path,"+tooLong)
	err = sandbox.AddModule(name[len("user:"):]+"n", hyperlight.Script(counter))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	require.EqualError(t, err, "hyperlight: AddModule: the module name, with its namespace,"+tooLong)

	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(counter)))
	loaded := load(t, sandbox)
	for _, test := range []struct {
		name, event string
		sentinel    error
	}{
		{name, "{}", hyperlight.ErrHandlerNotFound},
		{name + "n", "{}", hyperlight.ErrInvalidArgument},
		{name + "n", "{", hyperlight.ErrInvalidJSON},
		{strings.Repeat("n", 500_000), "{}", hyperlight.ErrInvalidArgument},
	} {
		_, err := loaded.HandleEvent(t.Context(), test.name, []byte(test.event))
		require.ErrorIs(t, err, test.sentinel)
		require.Equal(t, hyperlight.StatusReady, loaded.Status())
	}
	require.Equal(t, `{"count":1}`, call(t, loaded, "{}"))
}
