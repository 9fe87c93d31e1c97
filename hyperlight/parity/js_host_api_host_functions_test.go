package parity_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestJSHostAPIHostFunctions is tests/host-functions.test.js of upstream's Node.js binding. That binding puts
// "host:" before the names of modules; here they are what they are. Its async functions are ordinary ones in Go, where waiting needs no promise.
func TestJSHostAPIHostFunctions(t *testing.T) {
	t.Run("HostModule", testNamesOfHostFunctions)
	t.Run("ProtoJSSandbox.register()", testNamesOfRegister)
	t.Run("Host function invocation", testInvocation)
	t.Run("Host function invocation, errors", testInvocationErrors)
	t.Run("Multi-sandbox isolation", testIsolation)
}

func add(a, b float64) float64      { return a + b }
func multiply(a, b float64) float64 { return a * b }
func fortyTwo() int                 { return 42 }

// The Node.js binding refuses empty names. Upstream's crate takes them, and so does Go.
func testNamesOfHostFunctions(t *testing.T) {
	t.Run("should return a HostModule from hostModule()", func(t *testing.T) {
		assert.NotNil(t, newProto(t, hyperlight.WithUpstreamDefaults()).HostModule("math"))
	})

	t.Run("should throw on empty module name", func(t *testing.T) {
		assert.NoError(t, newProto(t, hyperlight.WithUpstreamDefaults()).HostModule("").Register("add", fortyTwo))
	})

	t.Run("should throw on empty function name in register()", func(t *testing.T) {
		assert.NoError(t, newProto(t, hyperlight.WithUpstreamDefaults()).HostModule("math").Register("", fortyTwo))
	})
}

func testNamesOfRegister(t *testing.T) {
	t.Run("should throw on empty module name", func(t *testing.T) {
		assert.NoError(t, newProto(t, hyperlight.WithUpstreamDefaults()).Register("", "add", fortyTwo))
	})

	t.Run("should throw on empty function name", func(t *testing.T) {
		assert.NoError(t, newProto(t, hyperlight.WithUpstreamDefaults()).Register("math", "", fortyTwo))
	})
}

// in registers functions, by name, in one module.
func in(t *testing.T, module string, functions map[string]any) func(*hyperlight.ProtoJSSandbox) {
	return func(proto *hyperlight.ProtoJSSandbox) {
		t.Helper()
		for name, function := range functions {
			require.NoError(t, proto.HostModule(module).Register(name, function))
		}
	}
}

// greet waits for something, as a query of a database does.
func greet(ctx context.Context, name string) (string, error) {
	select {
	case <-time.After(10 * time.Millisecond):
		return "Hello, " + name + "!", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func testInvocation(t *testing.T) {
	type row struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	type answer struct {
		Rows  []row  `json:"rows"`
		Table string `json:"table"`
	}
	t.Run("should work with snapshot/restore cycle", func(t *testing.T) {
		count := 0
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			require.NoError(t, proto.HostModule("host:state").Register("increment", func() int { count++; return count }))
		}, `
			import * as state from "host:state";
			function handler(event) { return { count: state.increment() }; }`)
		snapshot := takeSnapshot(t, loaded)
		assert.Equal(t, `{"count":1}`, handle(t, loaded, "handler", `{}`))
		restore(t, loaded, snapshot)
		assert.Equal(t, `{"count":2}`, handle(t, loaded, "handler", `{}`), "the host's state is the host's")
	})
	both := func(proto *hyperlight.ProtoJSSandbox) {
		require.NoError(t, proto.HostModule("host:math").Register("add", add))
		require.NoError(t, proto.HostModule("host:strings").Register("upper", strings.ToUpper))
	}
	convenience := func(proto *hyperlight.ProtoJSSandbox) { register(t, proto, "host:math", "add", add) }
	const adds = `
		import * as math from "host:math";
		function handler(event) {
			return { result: math.add(event.a, event.b) };
		}`
	const addsConstants = `
		import * as math from "host:math";
		function handler(event) {
			return { result: math.add(3, 4) };
		}`
	const greets = `
		import * as utils from "host:utils";
		function handler(event) {
			return { greeting: utils.greet(event.name) };
		}`
	for _, test := range []struct {
		name          string
		setUp         func(*hyperlight.ProtoJSSandbox)
		source        string
		event, result string
	}{
		{
			"should call a sync host function from guest code",
			in(t, "host:math", map[string]any{"add": add}), adds, `{"a":10,"b":32}`, `{"result":42}`,
		},
		{
			"should call an async host function from guest code",
			in(t, "host:utils", map[string]any{"greet": greet}), greets, `{"name":"World"}`, `{"greeting":"Hello, World!"}`,
		},
		{
			"should support multiple functions in one module",
			in(t, "host:math", map[string]any{"add": add, "multiply": multiply}), `
				import * as math from "host:math";
				function handler(event) {
					let sum = math.add(event.a, event.b);
					let product = math.multiply(event.a, event.b);
					return { sum, product };
				}`,
			`{"a":6,"b":7}`, `{"sum":13,"product":42}`,
		},
		{
			"should support multiple modules", both, `
				import * as math from "host:math";
				import * as strings from "host:strings";
				function handler(event) {
					let sum = math.add(event.a, event.b);
					let upper = strings.upper(event.name);
					return { sum, upper };
				}`,
			`{"a":1,"b":2,"name":"hello"}`, `{"sum":3,"upper":"HELLO"}`,
		},
		{
			"should support the convenience register() method",
			convenience, addsConstants, `{}`, `{"result":7}`,
		},
		{
			"should handle host function returning complex objects",
			in(t, "host:db", map[string]any{"query": func(table string) answer {
				return answer{[]row{{1, "Alice"}, {2, "Bob"}}, table}
			}}), `
				import * as db from "host:db";
				function handler(event) {
					let result = db.query(event.table);
					return { count: result.rows.length, first: result.rows[0].name };
				}`,
			`{"table":"users"}`, `{"count":2,"first":"Alice"}`,
		},
		{
			"should support register() on HostModule",
			in(t, "host:math", map[string]any{"add": add}), adds, `{"a":10,"b":32}`, `{"result":42}`,
		},
		{
			"should support register() convenience method",
			convenience, addsConstants, `{}`, `{"result":7}`,
		},
		{
			"should support async register() callbacks",
			in(t, "host:utils", map[string]any{"greet": greet}), greets, `{"name":"World"}`, `{"greeting":"Hello, World!"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			loaded := loadWith(t, test.setUp, test.source)
			assert.Equal(t, test.result, handle(t, loaded, "handler", test.event))
		})
	}
}

func testInvocationErrors(t *testing.T) {
	kaboom := errors.New("💥 kaboom from host")
	explode := func() error { return kaboom }
	explodeLater := func(ctx context.Context) error {
		_, err := greet(ctx, "")
		return errors.Join(err, kaboom)
	}

	t.Run("should propagate errors from host function callbacks", func(t *testing.T) {
		loaded := loadWith(t, in(t, "host:host", map[string]any{"explode": explode}), `
			import * as host from "host:host";
			function handler(event) {
				return host.explode();
			}`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.ErrorIs(t, err, kaboom)
	})

	for name, function := range map[string]any{
		"should propagate errors from register() callbacks":       explode,
		"should propagate errors from register() async callbacks": explodeLater,
	} {
		t.Run(name, func(t *testing.T) {
			loaded := loadWith(t, in(t, "host:host", map[string]any{"explode": function}), `
				import * as host from "host:host";
				function handler(event) {
					try {
						host.explode();
						return { success: true };
					} catch (err) {
						return { success: false, error: err.message };
					}
				}`)
			result := handle(t, loaded, "handler", `{}`)
			assert.Contains(t, result, `"success":false`)
			assert.Contains(t, result, "💥 kaboom from host")
		})
	}
}

func testIsolation(t *testing.T) {
	// pair boots two sandboxes which differ in nothing but their functions.
	pair := func(t *testing.T, module, source string, a, b map[string]any) (loadedA, loadedB *hyperlight.LoadedJSSandbox) {
		t.Helper()
		source = `import * as ` + module + ` from "host:` + module + `";` + source
		return loadWith(t, in(t, "host:"+module, a), source), loadWith(t, in(t, "host:"+module, b), source)
	}

	t.Run("should isolate two sandboxes with same-named host functions (different impls)", func(t *testing.T) {
		a, b := pair(t, "math", `function handler(event) { return { result: math.compute(event.a, event.b) }; }`,
			map[string]any{"compute": add}, map[string]any{"compute": multiply})
		assert.Equal(t, `{"result":10}`, handle(t, a, "handler", `{"a":3,"b":7}`))
		assert.Equal(t, `{"result":21}`, handle(t, b, "handler", `{"a":3,"b":7}`))
	})

	t.Run("should isolate per-sandbox state in host function closures", func(t *testing.T) {
		counterA, counterB := 0, 0
		a, b := pair(t, "stats", `function handler() { return { count: stats.hit() }; }`,
			map[string]any{"hit": func() int { counterA++; return counterA }},
			map[string]any{"hit": func() int { counterB++; return counterB }})
		assert.Equal(t, `{"count":1}`, handle(t, a, "handler", `{}`))
		assert.Equal(t, `{"count":1}`, handle(t, b, "handler", `{}`))
		assert.Equal(t, `{"count":2}`, handle(t, a, "handler", `{}`))
		assert.Equal(t, `{"count":2}`, handle(t, b, "handler", `{}`))
		assert.Equal(t, `{"count":3}`, handle(t, a, "handler", `{}`))
		assert.Equal(t, 3, counterA)
		assert.Equal(t, 2, counterB)
	})

	t.Run("should isolate async host functions across sandboxes with interleaved calls", func(t *testing.T) {
		fetch := func(tag string) any {
			return func(url string) string {
				time.Sleep(20 * time.Millisecond)
				return tag + ":" + url
			}
		}
		a, b := pair(t, "net", `function handler(event) { return { data: net.fetch(event.url) }; }`,
			map[string]any{"fetch": fetch("A")}, map[string]any{"fetch": fetch("B")})
		assert.Equal(t, `{"data":"A:/api"}`, handle(t, a, "handler", `{"url":"/api"}`))
		assert.Equal(t, `{"data":"B:/api"}`, handle(t, b, "handler", `{"url":"/api"}`))
		assert.Equal(t, `{"data":"A:/data"}`, handle(t, a, "handler", `{"url":"/data"}`))
		assert.Equal(t, `{"data":"B:/data"}`, handle(t, b, "handler", `{"url":"/data"}`))
	})

	t.Run("should isolate multiple host functions per sandbox across two sandboxes", func(t *testing.T) {
		a, b := pair(t, "math", `
			function handler(event) {
				return { sum: math.add(event.a, event.b), product: math.multiply(event.a, event.b) };
			}`,
			map[string]any{"add": add, "multiply": multiply},
			map[string]any{"add": multiply, "multiply": add})
		assert.Equal(t, `{"sum":10,"product":21}`, handle(t, a, "handler", `{"a":3,"b":7}`))
		assert.Equal(t, `{"sum":21,"product":10}`, handle(t, b, "handler", `{"a":3,"b":7}`))
	})
}
