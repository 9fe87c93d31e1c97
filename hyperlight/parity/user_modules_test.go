package parity_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestUserModules is upstream's tests/user_modules.rs.
func TestUserModules(t *testing.T) {
	const counter = `
		let count = 0;
		export function increment() { return ++count; }
		export function getCount() { return count; }`
	const increments = `
		import { increment } from 'user:counter';
		export function handler(event) {
			event.count = increment();
			return event;
		}`
	one := hyperlight.Script(`export const x = 1;`)

	t.Run("handler_imports_user_module_with_default_namespace", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "math", `
			export function add(a, b) { return a + b; }
			export function multiply(a, b) { return a * b; }`)
		addHandler(t, sandbox, "handler", `
			import { add, multiply } from 'user:math';
			export function handler(event) {
				event.sum = add(event.a, event.b);
				event.product = multiply(event.a, event.b);
				return event;
			}`)
		assert.Equal(t, `{"a":5,"b":3,"sum":8,"product":15}`,
			handle(t, load(t, sandbox), "handler", `{"a": 5, "b": 3}`))
	})

	t.Run("handler_imports_user_module_with_custom_namespace", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModuleNS("math",
			hyperlight.Script(`export function add(a, b) { return a + b; }`), "mylib"))
		addHandler(t, sandbox, "handler", `
			import { add } from 'mylib:math';
			export function handler(event) {
				event.result = add(event.a, event.b);
				return event;
			}`)
		assert.Equal(t, `{"a":10,"b":20,"result":30}`,
			handle(t, load(t, sandbox), "handler", `{"a": 10, "b": 20}`))
	})

	t.Run("module_imports_another_module", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "geometry", `
			import { PI } from 'user:constants';
			export function circleArea(r) { return PI * r * r; }`)
		addModule(t, sandbox, "constants", `export const PI = 3.14159;`)
		addHandler(t, sandbox, "handler", `
			import { circleArea } from 'user:geometry';
			export function handler(event) {
				event.area = circleArea(event.radius);
				return event;
			}`)
		var event struct{ Area float64 }
		require.NoError(t, json.Unmarshal([]byte(handle(t, load(t, sandbox), "handler", `{"radius": 5}`)), &event))
		assert.InDelta(t, 78.53975, event.Area, 0.001)
	})

	t.Run("module_state_persists_between_handler_calls", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "counter", counter)
		addHandler(t, sandbox, "handler", increments)
		loaded := load(t, sandbox)
		assert.Equal(t, `{"count":1}`, handle(t, loaded, "handler", `{}`))
		assert.Equal(t, `{"count":2}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("unload_and_reload_with_different_module_version", func(t *testing.T) {
		const computes = `
			import { compute } from 'user:math';
			export function handler(event) {
				event.result = compute(event.x);
				return event;
			}`
		sandbox := newSandbox(t)
		addModule(t, sandbox, "math", `export function compute(x) { return x + 1; }`)
		addHandler(t, sandbox, "handler", computes)
		loaded := load(t, sandbox)
		assert.Equal(t, `{"x":5,"result":6}`, handle(t, loaded, "handler", `{"x": 5}`))

		sandbox = unload(t, loaded)
		addModule(t, sandbox, "math", `export function compute(x) { return x * 2; }`)
		addHandler(t, sandbox, "handler", computes)
		assert.Equal(t, `{"x":5,"result":10}`, handle(t, load(t, sandbox), "handler", `{"x": 5}`))
	})

	t.Run("add_module_rejects_empty_name", func(t *testing.T) {
		refused(t, newSandbox(t).AddModule("", one), hyperlight.ErrInvalidArgument, "Module name must not be empty")
	})

	t.Run("add_module_rejects_reserved_namespace", func(t *testing.T) {
		refused(t, newSandbox(t).AddModuleNS("utils", one, "host"), hyperlight.ErrInvalidArgument,
			"Module namespace 'host' is reserved")
	})

	t.Run("add_module_rejects_duplicate", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModule("utils", one))
		refused(t, sandbox.AddModule("utils", hyperlight.Script(`export const y = 2;`)), hyperlight.ErrModuleExists,
			"Module already exists: user:utils")
	})

	t.Run("remove_module_rejects_empty_name", func(t *testing.T) {
		refused(t, newSandbox(t).RemoveModule(""), hyperlight.ErrInvalidArgument, "Module name must not be empty")
	})

	t.Run("remove_module_rejects_nonexistent_module", func(t *testing.T) {
		refused(t, newSandbox(t).RemoveModule("nonexistent"), hyperlight.ErrModuleNotFound,
			"Module does not exist: user:nonexistent")
	})

	t.Run("remove_module_ns_rejects_empty_namespace", func(t *testing.T) {
		refused(t, newSandbox(t).RemoveModuleNS("utils", ""), hyperlight.ErrInvalidArgument,
			"Module namespace must not be empty")
	})

	t.Run("multiple_handlers_share_mutable_module_state", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "counter", counter)
		addHandler(t, sandbox, "writer", increments)
		addHandler(t, sandbox, "reader", `
			import { getCount } from 'user:counter';
			export function handler(event) {
				event.count = getCount();
				return event;
			}`)
		loaded := load(t, sandbox)
		assert.Equal(t, `{"count":1}`, handle(t, loaded, "writer", `{}`))
		assert.Equal(t, `{"count":1}`, handle(t, loaded, "reader", `{}`))
		assert.Equal(t, `{"count":2}`, handle(t, loaded, "writer", `{}`))
		assert.Equal(t, `{"count":2}`, handle(t, loaded, "reader", `{}`))
	})

	t.Run("multiple_handlers_can_share_a_module", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "utils", `
			export function double(x) { return x * 2; }
			export function triple(x) { return x * 3; }`)
		addHandler(t, sandbox, "doubler", `
			import { double } from 'user:utils';
			export function handler(event) {
				event.result = double(event.x);
				return event;
			}`)
		addHandler(t, sandbox, "tripler", `
			import { triple } from 'user:utils';
			export function handler(event) {
				event.result = triple(event.x);
				return event;
			}`)
		loaded := load(t, sandbox)
		assert.Equal(t, `{"x":7,"result":14}`, handle(t, loaded, "doubler", `{"x": 7}`))
		assert.Equal(t, `{"x":7,"result":21}`, handle(t, loaded, "tripler", `{"x": 7}`))
	})

	t.Run("user_module_can_import_builtin_module", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "hasher", `
			import { createHmac } from 'crypto';
			export function hmac(data) {
				return createHmac('sha256', 'secret').update(data).digest('hex');
			}`)
		addHandler(t, sandbox, "handler", `
			import { hmac } from 'user:hasher';
			export function handler(event) {
				event.hash = hmac(event.data);
				return event;
			}`)
		mac := hmac.New(sha256.New, []byte("secret"))
		mac.Write([]byte("hello"))
		hash := hex.EncodeToString(mac.Sum(nil))
		require.Len(t, hash, 64)
		assert.Equal(t, `{"data":"hello","hash":"`+hash+`"}`,
			handle(t, load(t, sandbox), "handler", `{"data": "hello"}`))
	})

	t.Run("user_module_can_import_host_function", func(t *testing.T) {
		sandbox := newSandboxWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "db", "lookup", func(id int32) map[string]any {
				return map[string]any{"id": id, "name": fmt.Sprintf("User %d", id)}
			})
		})
		addModule(t, sandbox, "enricher", `
			import * as db from 'db';
			export function enrich(event) {
				const user = db.lookup(event.userId);
				event.userName = user.name;
				return event;
			}`)
		addHandler(t, sandbox, "handler", `
			import { enrich } from 'user:enricher';
			export function handler(event) {
				return enrich(event);
			}`)
		assert.Equal(t, `{"userId":42,"userName":"User 42"}`,
			handle(t, load(t, sandbox), "handler", `{"userId": 42}`))
	})

	t.Run("handler_fails_when_importing_nonexistent_module", func(t *testing.T) {
		sandbox := newSandbox(t)
		addHandler(t, sandbox, "handler", `
			import { foo } from 'user:nonexistent';
			export function handler(event) {
				event.result = foo();
				return event;
			}`)
		assert.Equal(t, "Error resolving module 'user:nonexistent' from './handler.js'", loadFails(t, sandbox))
	})

	t.Run("circular_module_imports_work", func(t *testing.T) {
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
			export function handler(event) {
				return { xy: getXY(), yx: getYX() };
			}`)
		assert.Equal(t, `{"xy":"XY","yx":"YX"}`, handle(t, load(t, sandbox), "handler", `{}`))
	})

	t.Run("snapshot_restore_resets_module_state", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "counter", `
			let count = 0;
			export function increment() { return ++count; }`)
		addHandler(t, sandbox, "handler", increments)
		loaded := load(t, sandbox)
		assert.Equal(t, `{"count":1}`, handle(t, loaded, "handler", `{}`))
		snapshot := takeSnapshot(t, loaded)
		assert.Equal(t, `{"count":2}`, handle(t, loaded, "handler", `{}`))
		restore(t, loaded, snapshot)
		assert.Equal(t, `{"count":2}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("module_with_syntax_error_fails_at_load", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "bad", `export function broken( { NOPE }`)
		addHandler(t, sandbox, "handler", `
			import { broken } from 'user:bad';
			export function handler(event) { return event; }`)
		assert.Equal(t, "Unexpected end of input", loadFails(t, sandbox))
	})

	t.Run("removed_module_is_unavailable_on_load", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "utils", `export function greet() { return 'hi'; }`)
		require.NoError(t, sandbox.RemoveModule("utils"))
		addHandler(t, sandbox, "handler", `
			import { greet } from 'user:utils';
			export function handler(event) { event.msg = greet(); return event; }`)
		assert.Equal(t, "Error resolving module 'user:utils' from './handler.js'", loadFails(t, sandbox))
	})

	t.Run("remove_module_then_run_independent_handler", func(t *testing.T) {
		sandbox := newSandbox(t)
		addModule(t, sandbox, "kept", `export function hello() { return 'world'; }`)
		addModule(t, sandbox, "removed", `export function bye() { return 'gone'; }`)
		require.NoError(t, sandbox.RemoveModule("removed"))
		addHandler(t, sandbox, "handler", `
			import { hello } from 'user:kept';
			export function handler(event) {
				event.greeting = hello();
				return event;
			}`)
		assert.Equal(t, `{"greeting":"world"}`, handle(t, load(t, sandbox), "handler", `{}`))
	})
}
