package parity_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestJSHostAPIUserModules is tests/user-modules.test.js of upstream's Node.js binding.
func TestJSHostAPIUserModules(t *testing.T) {
	const double = `export function double(x) { return x * 2; } export function triple(x) { return x * 3; }`
	const counter = `
		let count = 0;
		export function increment() { return ++count; }
		export function getCount() { return count; }`
	const increments = `
		import { increment } from 'user:counter';
		function handler(event) { event.count = increment(); return event; }`
	const greets = `
		import { greet } from 'user:utils';
		function handler(event) { event.msg = greet(); return event; }`
	one := hyperlight.Script(`export const x = 1;`)
	greet := hyperlight.Script(`export function greet() { return "hi"; }`)
	// decode runs a handler and gives the result's fields.
	decode := func(t *testing.T, loaded *hyperlight.LoadedJSSandbox, name, event string) map[string]any {
		t.Helper()
		var result map[string]any
		require.NoError(t, json.Unmarshal([]byte(handle(t, loaded, name, event)), &result))
		return result
	}

	t.Run("Module registration", func(t *testing.T) {
		t.Run("should add a module without throwing", func(t *testing.T) {
			require.NoError(t, newSandbox(t).AddModule("utils", greet))
		})
		t.Run("should add a module with explicit namespace", func(t *testing.T) {
			require.NoError(t, newSandbox(t).AddModuleNS("utils", greet, "mylib"))
		})
		t.Run("should remove a module without throwing", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModule("utils", one))
			require.NoError(t, sandbox.RemoveModule("utils"))
		})
		t.Run("should remove a module with explicit namespace", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModuleNS("utils", one, "mylib"))
			require.NoError(t, sandbox.RemoveModuleNS("utils", "mylib"))
		})
		t.Run("should clear all modules without throwing", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModule("a", one))
			require.NoError(t, sandbox.AddModule("b", one))
			require.NoError(t, sandbox.ClearModules())
			require.ErrorIs(t, sandbox.RemoveModule("a"), hyperlight.ErrModuleNotFound)
		})
		t.Run("should reject empty module name on add", func(t *testing.T) {
			refused(t, newSandbox(t).AddModule("", one), hyperlight.ErrInvalidArgument, "Module name must not be empty")
		})
		t.Run("should reject empty module name on remove", func(t *testing.T) {
			refused(t, newSandbox(t).RemoveModule(""), hyperlight.ErrInvalidArgument, "Module name must not be empty")
		})
		t.Run(`should reject reserved "host" namespace`, func(t *testing.T) {
			refused(t, newSandbox(t).AddModuleNS("utils", one, "host"), hyperlight.ErrInvalidArgument,
				"Module namespace 'host' is reserved")
		})
		t.Run("should reject duplicate module", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModule("utils", one))
			refused(t, sandbox.AddModule("utils", one), hyperlight.ErrModuleExists, "Module already exists: user:utils")
		})
		t.Run("should throw CONSUMED after getLoadedSandbox()", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModule("utils", one))
			addHandler(t, sandbox, "handler", `import { x } from 'user:utils'; function handler(e) { e.x = x; return e; }`)
			load(t, sandbox)
			require.ErrorIs(t, sandbox.AddModule("another", one), hyperlight.ErrConsumed)
		})
	})

	t.Run("Handler importing user module", func(t *testing.T) {
		t.Run("should import module with default namespace", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "math", `
				export function add(a, b) { return a + b; }
				export function multiply(a, b) { return a * b; }`)
			addHandler(t, sandbox, "handler", `
				import { add, multiply } from 'user:math';
				function handler(event) {
					event.sum = add(event.a, event.b);
					event.product = multiply(event.a, event.b);
					return event;
				}`)
			assert.JSONEq(t, `{"a":6,"b":7,"sum":13,"product":42}`, handle(t, load(t, sandbox), "handler", `{"a":6,"b":7}`))
		})
		t.Run("should import module with custom namespace", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModuleNS("math",
				hyperlight.Script(`export function add(a, b) { return a + b; }`), "mylib"))
			addHandler(t, sandbox, "handler", `
				import { add } from 'mylib:math';
				function handler(event) { event.result = add(event.a, event.b); return event; }`)
			assert.EqualValues(t, 30, decode(t, load(t, sandbox), "handler", `{"a":10,"b":20}`)["result"])
		})
	})

	t.Run("Inter-module imports", func(t *testing.T) {
		t.Run("should allow a user module to import another user module", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "geometry", `
				import { PI } from 'user:constants';
				export function circleArea(r) { return PI * r * r; }`)
			addModule(t, sandbox, "constants", `export const PI = 3.14159;`)
			addHandler(t, sandbox, "handler", `
				import { circleArea } from 'user:geometry';
				function handler(event) { event.area = circleArea(event.radius); return event; }`)
			assert.InDelta(t, 78.53975, decode(t, load(t, sandbox), "handler", `{"radius":5}`)["area"], 0.0005)
		})
		t.Run("should allow a user module to import a built-in module", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "hasher", `
				import { createHmac } from 'crypto';
				export function hmac(data) { return createHmac('sha256', 'secret').update(data).digest('hex'); }`)
			addHandler(t, sandbox, "handler", `
				import { hmac } from 'user:hasher';
				function handler(event) { event.hash = hmac(event.data); return event; }`)
			// HMAC-SHA256 of "hello" with the key "secret".
			assert.Equal(t, "88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b",
				decode(t, load(t, sandbox), "handler", `{"data":"hello"}`)["hash"])
		})
	})

	t.Run("Module state retention", func(t *testing.T) {
		t.Run("should retain module state between handler calls", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "counter", counter)
			addHandler(t, sandbox, "handler", increments)
			loaded := load(t, sandbox)
			assert.Equal(t, `{"count":1}`, handle(t, loaded, "handler", `{}`))
			assert.Equal(t, `{"count":2}`, handle(t, loaded, "handler", `{}`))
		})
	})

	t.Run("Multiple handlers sharing a module", func(t *testing.T) {
		t.Run("should allow two handlers to import the same module", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "utils", double)
			addHandler(t, sandbox, "doubler", `
				import { double } from 'user:utils';
				function handler(event) { event.result = double(event.x); return event; }`)
			addHandler(t, sandbox, "tripler", `
				import { triple } from 'user:utils';
				function handler(event) { event.result = triple(event.x); return event; }`)
			loaded := load(t, sandbox)
			assert.Equal(t, `{"x":5,"result":10}`, handle(t, loaded, "doubler", `{"x":5}`))
			assert.Equal(t, `{"x":5,"result":15}`, handle(t, loaded, "tripler", `{"x":5}`))
		})
	})

	t.Run("Cross-handler mutable state sharing", func(t *testing.T) {
		t.Run("should allow handler B to see mutable state written by handler A", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "counter", counter)
			addHandler(t, sandbox, "writer", increments)
			addHandler(t, sandbox, "reader", `
				import { getCount } from 'user:counter';
				function handler(event) { event.count = getCount(); return event; }`)
			loaded := load(t, sandbox)
			for i, name := range []string{"writer", "reader", "writer", "reader"} {
				assert.EqualValues(t, i/2+1, decode(t, loaded, name, `{}`)["count"])
			}
		})
		t.Run("should share complex mutable state between multiple handlers", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "store", `
				const data = new Map();
				export function set(key, value) { data.set(key, value); }
				export function get(key) { return data.get(key); }
				export function size() { return data.size; }`)
			addHandler(t, sandbox, "put", `
				import { set } from 'user:store';
				function handler(event) { set(event.key, event.value); return { ok: true }; }`)
			addHandler(t, sandbox, "fetch", `
				import { get, size } from 'user:store';
				function handler(event) { return { value: get(event.key), size: size() }; }`)
			loaded := load(t, sandbox)
			handle(t, loaded, "put", `{"key":"name","value":"Hyperlight"}`)
			handle(t, loaded, "put", `{"key":"year","value":1985}`)
			assert.Equal(t, `{"value":"Hyperlight","size":2}`, handle(t, loaded, "fetch", `{"key":"name"}`))
			assert.Equal(t, `{"value":1985,"size":2}`, handle(t, loaded, "fetch", `{"key":"year"}`))
		})
	})

	t.Run("Unload and reload with modules", func(t *testing.T) {
		t.Run("should allow swapping module versions after unload", func(t *testing.T) {
			const computes = `
				import { compute } from 'user:math';
				function handler(event) { event.result = compute(event.x); return event; }`
			sandbox := newSandbox(t)
			addModule(t, sandbox, "math", `export function compute(x) { return x + 1; }`)
			addHandler(t, sandbox, "handler", computes)
			loaded := load(t, sandbox)
			assert.Equal(t, `{"x":5,"result":6}`, handle(t, loaded, "handler", `{"x":5}`))
			sandbox = unload(t, loaded)
			addModule(t, sandbox, "math", `export function compute(x) { return x * 2; }`)
			addHandler(t, sandbox, "handler", computes)
			assert.Equal(t, `{"x":5,"result":10}`, handle(t, load(t, sandbox), "handler", `{"x":5}`))
		})
	})

	t.Run("Missing module import", func(t *testing.T) {
		t.Run("should fail at getLoadedSandbox when handler imports non-existent module", func(t *testing.T) {
			sandbox := newSandbox(t)
			addHandler(t, sandbox, "handler", `import { foo } from 'user:nonexistent'; function handler(e) { return e; }`)
			assert.Contains(t, loadFails(t, sandbox), "user:nonexistent")
		})
	})

	t.Run("clearModules behaviour", func(t *testing.T) {
		t.Run("should make cleared modules unavailable on next load", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModule("utils", greet))
			addHandler(t, sandbox, "handler", greets)
			require.NoError(t, sandbox.ClearModules())
			assert.Contains(t, loadFails(t, sandbox), "user:utils")
		})
	})

	t.Run("Remove then load lifecycle", func(t *testing.T) {
		t.Run("should fail when handler imports a removed module", func(t *testing.T) {
			sandbox := newSandbox(t)
			require.NoError(t, sandbox.AddModule("utils", greet))
			require.NoError(t, sandbox.RemoveModule("utils"))
			addHandler(t, sandbox, "handler", greets)
			assert.Contains(t, loadFails(t, sandbox), "user:utils")
		})
	})

	t.Run("Snapshot and restore with modules", func(t *testing.T) {
		t.Run("should restore module state from snapshot", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "counter", counter)
			addHandler(t, sandbox, "handler", increments)
			loaded := load(t, sandbox)
			assert.Equal(t, `{"count":1}`, handle(t, loaded, "handler", `{}`))
			snapshot := takeSnapshot(t, loaded)
			assert.Equal(t, `{"count":2}`, handle(t, loaded, "handler", `{}`))
			restore(t, loaded, snapshot)
			assert.Equal(t, `{"count":2}`, handle(t, loaded, "handler", `{}`))
		})
	})

	t.Run("Circular module dependencies", func(t *testing.T) {
		t.Run("should handle circular imports between two modules", func(t *testing.T) {
			sandbox := newSandbox(t)
			addModule(t, sandbox, "moduleA", `
				import { getY } from 'user:moduleB';
				export function getX() { return 'X'; }
				export function getXY() { return getX() + getY(); }`)
			addModule(t, sandbox, "moduleB", `
				import { getX } from 'user:moduleA';
				export function getY() { return 'Y'; }
				export function getYX() { return getY() + getX(); }`)
			addHandler(t, sandbox, "handler", `
				import { getXY } from 'user:moduleA';
				import { getYX } from 'user:moduleB';
				function handler(event) { return { xy: getXY(), yx: getYX() }; }`)
			assert.Equal(t, `{"xy":"XY","yx":"YX"}`, handle(t, load(t, sandbox), "handler", `{}`))
		})
	})

	t.Run("Additional validation", func(t *testing.T) {
		t.Run("should reject colon in module name", func(t *testing.T) {
			refused(t, newSandbox(t).AddModule("bad:name", one), hyperlight.ErrInvalidArgument,
				"Module name must not contain ':'")
		})
		t.Run("should reject whitespace-only module name", func(t *testing.T) {
			refused(t, newSandbox(t).AddModule("   ", one), hyperlight.ErrInvalidArgument, "Module name must not be empty")
		})
	})
}
