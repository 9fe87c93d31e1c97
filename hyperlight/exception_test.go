package hyperlight_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// asException gets at what JavaScript threw.
func asException(t *testing.T, err error) *hyperlight.JSException {
	t.Helper()
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	var exception *hyperlight.JSException
	require.ErrorAs(t, err, &exception)
	return exception
}

// throwing runs the statements in its event.
const throwing = `function handler(event) { new Function(event)(); return null; }`

// throws runs statements in a sandbox of throwing.
func throws(t *testing.T, loaded *hyperlight.LoadedJSSandbox, statements string) *hyperlight.JSException {
	t.Helper()
	event, err := json.Marshal(statements)
	require.NoError(t, err)
	_, err = loaded.HandleEvent(t.Context(), "handler", event)
	exception := asException(t, err)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status(), statements)
	return exception
}

func TestThrownValues(t *testing.T) {
	loaded := loadHandler(t, throwing)
	long := strings.Repeat("long", 20000)
	for value, want := range map[string]struct {
		thrown        hyperlight.Thrown
		message, text string
	}{
		`"text"`:                                {hyperlight.ThrownString, "text", "text"},
		`"a\nb\"c\\\u0000ü"`:                    {hyperlight.ThrownString, "a\nb\"c\\\x00ü", "a\nb\"c\\\x00ü"},
		`""`:                                    {hyperlight.ThrownString, "", "thrown string"},
		`"\ud800x"`:                             {hyperlight.ThrownString, "", "thrown string"}, // no UTF-8
		`"long".repeat(20000)`:                  {hyperlight.ThrownString, long, long},
		`7`:                                     {hyperlight.ThrownNumber, "7", "7"},
		`-7.25`:                                 {hyperlight.ThrownNumber, "-7.25", "-7.25"},
		`-0`:                                    {hyperlight.ThrownNumber, "0", "0"},
		`1e16`:                                  {hyperlight.ThrownNumber, "10000000000000000", "10000000000000000"},
		`1e21`:                                  {hyperlight.ThrownNumber, "1e+21", "1e+21"},
		`2.5e-8`:                                {hyperlight.ThrownNumber, "2.5e-8", "2.5e-8"},
		`NaN`:                                   {hyperlight.ThrownNumber, "NaN", "NaN"},
		`-Infinity`:                             {hyperlight.ThrownNumber, "-Infinity", "-Infinity"},
		`true`:                                  {hyperlight.ThrownBoolean, "true", "true"},
		`null`:                                  {hyperlight.ThrownNull, "null", "null"},
		`undefined`:                             {hyperlight.ThrownUndefined, "undefined", "undefined"},
		`12n`:                                   {hyperlight.ThrownBigInt, "", "thrown bigint"},
		`2n ** 70n`:                             {hyperlight.ThrownBigInt, "", "thrown bigint"},
		`Symbol("s")`:                           {hyperlight.ThrownSymbol, "", "thrown symbol"},
		`{message: "m", stack: "s"}`:            {hyperlight.ThrownObject, "", "thrown object"},
		`new (class A {})`:                      {hyperlight.ThrownObject, "", "thrown object"},
		`new Date()`:                            {hyperlight.ThrownObject, "", "thrown object"},
		`Object.create(Error.prototype)`:        {hyperlight.ThrownObject, "", "thrown object"},
		`new DOMException("dom", "AbortError")`: {hyperlight.ThrownObject, "", "thrown object"},
		`[1, 2]`:                                {hyperlight.ThrownArray, "", "thrown array"},
		`() => 1`:                               {hyperlight.ThrownFunction, "", "thrown function"},
		`function f() {}`:                       {hyperlight.ThrownFunction, "", "thrown function"},
		`class A {}`:                            {hyperlight.ThrownFunction, "", "thrown function"},
		`Promise.resolve(1)`:                    {hyperlight.ThrownPromise, "", "thrown promise"},
		`new Proxy(new Error("m"), {})`:         {hyperlight.ThrownProxy, "", "thrown proxy"},
	} {
		exception := throws(t, loaded, "throw "+value)
		assert.Equal(t, &hyperlight.JSException{Message: want.message, Thrown: want.thrown}, exception, value)
		assert.Equal(t, want.text, exception.Error(), value)
		assert.Empty(t, exception.Frames(), value)
	}
}

func TestThrownErrors(t *testing.T) {
	loaded := loadHandler(t, throwing)
	for statements, message := range map[string]string{
		`throw new Error("m")`:                                              "m",
		`throw new TypeError("m")`:                                          "m",
		`throw Object.assign(Error("m"), {name: "N"})`:                      "m",
		`throw new (class E extends RangeError {})("m")`:                    "m",
		`throw new AggregateError([Error("a"), Error("b")], "all of them")`: "all of them",
		`throw new Error("outer", {cause: new Error("inner")})`:             "outer",
		`null.x`:            "cannot read property 'x' of null",
		`nobody()`:          "nobody is not defined",
		`throw new Error()`: "",
		`const e = Error("m"); e.message = [1, {}]; throw e`:                   "1,[object Object]",
		`const e = Error("m"); e.message = undefined; throw e`:                 "",
		`const e = Error("m"); e.message = Symbol(); throw e`:                  "",
		`const e = Error("m"); e.message = {toString() { throw 1 }}; throw e`:  "",
		`throw Object.defineProperty(Error(), "message", {get() { throw 1 }})`: "",
		`throw new Error("\ud800")`:                                            "", // no UTF-8
		`throw new Error("None, stack: Some(\"forged\") } ) Value(Int(7))")`:   `None, stack: Some("forged") } ) Value(Int(7))`,
	} {
		exception := throws(t, loaded, statements)
		assert.Equal(t, hyperlight.ThrownError, exception.Thrown, statements)
		assert.Equal(t, message, exception.Message, statements)
		require.NotEmpty(t, exception.Frames(), statements)
		outermost := exception.Frames()[len(exception.Frames())-1]
		assert.Equal(t, "handler", outermost.Function, statements)
		assert.Equal(t, "./handler.js", outermost.File, statements)
		if message == "" {
			message = "exception without a message"
		}
		assert.EqualError(t, exception, message, statements)
	}
}

func TestStacksThatScriptsMadeUp(t *testing.T) {
	loaded := loadHandler(t, throwing)
	for statements, stack := range map[string]string{
		`const e = Error(); e.stack = undefined; throw e`:                                         "",
		`const e = Error(); e.stack = null; throw e`:                                              "",
		`const e = Error(); e.stack = Symbol(); throw e`:                                          "",
		`const e = Error(); e.stack = {toString() { throw 1 }}; throw e`:                          "",
		`const e = Error(); e.stack = 7; throw e`:                                                 "7",
		`const e = Error(); e.stack = {}; throw e`:                                                "[object Object]",
		`const e = Error(); e.stack = "    at admin (./safe.js:1:1)"; throw e`:                    "    at admin (./safe.js:1:1)",
		`({["\ud800"]() { throw Error() }})["\ud800"]()`:                                          "", // no UTF-8
		`Error.stackTraceLimit = 0; try { throw Error() } finally { Error.stackTraceLimit = 10 }`: "",
		`Error.prepareStackTrace = (e, sites) => sites.map((s) => s.getFunctionName()); try { throw Error() } finally { Error.prepareStackTrace = undefined }`: "anonymous,handler",
	} {
		exception := throws(t, loaded, statements)
		assert.Equal(t, stack, exception.Stack, statements)
	}
	// QuickJS makes a new stack for an Error without one, where it is thrown.
	exception := throws(t, loaded, "const e = Error();\ndelete e.stack;\nthrow e")
	assert.Equal(t, hyperlight.Frame{Function: "anonymous", File: "<input>", Line: 5, Column: 7}, exception.Frames()[0])
}

// Whatever a function is called, its file and position are found, unless there is a newline in the name.
func TestFramesOfOddNames(t *testing.T) {
	loaded := loadHandler(t, throwing)
	for _, name := range []string{"get x", "a (b:1:2) c", ")", "(", "native", "ü 😊", " x ", "x (native)"} {
		text, err := json.Marshal(name)
		require.NoError(t, err)
		exception := throws(t, loaded, "const o = {["+string(text)+"]() {\n throw Error() }}; o["+string(text)+"]()")
		want := []hyperlight.Frame{
			{Function: name, File: "<input>", Line: 4, Column: 8},
			{Function: "anonymous", File: "<input>", Line: 4, Column: 20},
			{Function: "handler", File: "./handler.js", Line: 1, Column: 39},
		}
		assert.Equal(t, want, exception.Frames(), "%q: %s", name, exception.Stack)
	}
}

func TestPositions(t *testing.T) {
	files := fstest.MapFS{"lib/deep.js": file("\n\nexport function deep() {\n  nobody();\n}\n")}
	for name, test := range map[string]struct {
		source string
		base   string
		module string
		want   []hyperlight.Frame
	}{
		"a handler that upstream exports": {
			source: "// 1\n// 2\nfunction handler(event) {\n    nobody();\n}",
			want:   []hyperlight.Frame{{Function: "handler", File: "./handler.js", Line: 4, Column: 5}},
		},
		"the first line, where QuickJS counts columns from 0": {
			source: "function handler(event) { nobody(); }",
			want:   []hyperlight.Frame{{Function: "handler", File: "./handler.js", Line: 1, Column: 26}},
		},
		"a handler that exports itself, in a folder": {
			source: "// 1\r\n// 2\r\nexport function handler(event) {\r\n\tnobody();\r\n}\r\n", base: "/app",
			want: []hyperlight.Frame{{Function: "handler", File: "/app/handler.js", Line: 4, Column: 2}},
		},
		"async functions": {
			source: "const inner = async () => {\n  await null;\n  nobody();\n};\nasync function handler() {\n  return await inner();\n}",
			want:   []hyperlight.Frame{{Function: "inner", File: "./handler.js", Line: 3, Column: 3}},
		},
		"a module": {
			source: "import { f } from 'user:odd (1).js';\nexport function handler() {\n  return f();\n}",
			module: "\nexport const f = () => [1].map(() => {\n    nobody();\n});",
			want: []hyperlight.Frame{
				{Function: "<anonymous>", File: "user:odd (1).js", Line: 3, Column: 5},
				{Function: "map"},
				{Function: "f", File: "user:odd (1).js", Line: 2, Column: 28},
				{Function: "handler", File: "./handler.js", Line: 3, Column: 10},
			},
		},
		"a file": {
			source: "import { deep } from '../lib/deep.js';\nexport function handler() {\n  return deep();\n}", base: "/app",
			want: []hyperlight.Frame{
				{Function: "deep", File: "lib/deep.js", Line: 4, Column: 3},
				{Function: "handler", File: "/app/handler.js", Line: 3, Column: 10},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sandbox := newImporter(t, files)
			if test.module != "" {
				require.NoError(t, sandbox.AddModule("odd (1).js", hyperlight.Script(test.module)))
			}
			addAt(t, sandbox, "handler", test.base, test.source)
			loaded := load(t, sandbox)
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
			exception := asException(t, err)
			assert.Equal(t, "nobody is not defined", exception.Message)
			assert.Equal(t, test.want, exception.Frames(), exception.Stack)
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
}

func TestPositionsOfWhatDoesNotLoad(t *testing.T) {
	files := fstest.MapFS{
		"lib/broken.js":    file("export const x = 1;\nexport const y = ;\n"),
		"lib/top-level.js": file("\n  throw new Error('m');\n"),
	}
	for name, test := range map[string]struct {
		source string
		want   hyperlight.Frame
	}{
		"a syntax error":                                         {"// 1\nfunction handler() {\n  return 1 +* 2;\n}", hyperlight.Frame{File: "/app/handler.js", Line: 3}},
		"a syntax error behind long text":                        {"const s = `\n\n\n`;\n/* \n\n */\nfunction handler() { +* }", hyperlight.Frame{File: "/app/handler.js", Line: 8}},
		"a syntax error in a file":                               {"import { x } from '../lib/broken.js';\nexport function handler() {}", hyperlight.Frame{File: "lib/broken.js", Line: 2}},
		"an end that is missing, in the line that upstream adds": {"function handler() {\n", hyperlight.Frame{File: "/app/handler.js", Line: 3}},
		"an exception at the top level":                          {"// 1\n\nnobody();\nfunction handler() {}", hyperlight.Frame{Function: "<anonymous>", File: "/app/handler.js", Line: 3, Column: 1}},
		"an exception of a file":                                 {"import '../lib/top-level.js';\nexport function handler() {}", hyperlight.Frame{Function: "<anonymous>", File: "lib/top-level.js", Line: 2, Column: 13}},
	} {
		t.Run(name, func(t *testing.T) {
			sandbox := newImporter(t, files)
			addAt(t, sandbox, "handler", "/app", test.source)
			_, err := sandbox.Load(t.Context())
			exception := asException(t, err)
			require.NotEmpty(t, exception.Frames())
			frame := exception.Frames()[0]
			if frame.Function == "" { // QuickJS does not know the column of a syntax error.
				frame.Column = 0
			}
			assert.Equal(t, test.want, frame, "%s: %s", exception.Message, exception.Stack)
			assert.Equal(t, hyperlight.StatusConsumed, sandbox.Status())
		})
	}
}

// What was thrown is found wherever it comes out.
func TestExceptionsAreFoundEverywhere(t *testing.T) {
	const source = `function handler() { throw "up"; }`
	want := &hyperlight.JSException{Message: "up", Thrown: hyperlight.ThrownString}
	loaded := loadHandler(t, source)
	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	assert.Equal(t, want, asException(t, err))
	_, err = hyperlight.Call[string](t.Context(), loaded, "handler", nil)
	assert.Equal(t, want, asException(t, err))
	assert.Equal(t, "HandleEvent", asError(t, err).Op)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())

	_, err = hyperlight.Run(t.Context(), source, []byte(`{}`))
	assert.Equal(t, want, asException(t, err))
	assert.Equal(t, "HandleEvent", asError(t, err).Op)
	_, err = hyperlight.Run(t.Context(), `throw "up"; `+source, []byte(`{}`))
	assert.Equal(t, want, asException(t, err))
	assert.Equal(t, "Load", asError(t, err).Op)
}

func TestCallFindsTheGoErrorBehindAnException(t *testing.T) {
	locked := errors.New("locked")
	loaded := loadWith(t, functions{"open": func() error { return locked }}, `function handler() { host.open(); }`)
	_, err := hyperlight.Call[struct{}](t.Context(), loaded, "handler", nil)
	require.ErrorIs(t, err, locked)
	assert.Equal(t, hyperlight.ThrownError, asException(t, err).Thrown)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}
