package parity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestJSSandbox is the test module of upstream's src/sandbox/js_sandbox.rs.
func TestJSSandbox(t *testing.T) {
	twoHandlers := func(t *testing.T) *hyperlight.JSSandbox {
		t.Helper()
		sandbox := newSandbox(t)
		addHandler(t, sandbox, "handler1", "script1")
		addHandler(t, sandbox, "handler2", "script2")
		return sandbox
	}
	// holds asserts that these are all handlers of the sandbox, and removes them to find out.
	holds := func(t *testing.T, sandbox *hyperlight.JSSandbox, names ...string) {
		t.Helper()
		for _, name := range names {
			refused(t, sandbox.AddHandler(name, hyperlight.Script("")), hyperlight.ErrHandlerExists,
				"Handler already exists for function name: "+name)
			require.NoError(t, sandbox.RemoveHandler(name))
		}
		_, err := sandbox.Load(t.Context())
		refused(t, err, hyperlight.ErrNoHandlers, "No handlers have been added to the sandbox")
	}

	t.Run("test_add_handler", func(t *testing.T) {
		holds(t, twoHandlers(t), "handler1", "handler2")
	})

	t.Run("test_remove_handler", func(t *testing.T) {
		sandbox := twoHandlers(t)
		require.NoError(t, sandbox.RemoveHandler("handler1"))
		refused(t, sandbox.RemoveHandler("handler1"), hyperlight.ErrHandlerNotFound,
			"Handler does not exist for function name: handler1")
		holds(t, sandbox, "handler2")
	})

	t.Run("test_clear_handlers", func(t *testing.T) {
		sandbox := twoHandlers(t)
		require.NoError(t, sandbox.ClearHandlers())
		holds(t, sandbox)
	})

	t.Run("test_get_loaded_sandbox", func(t *testing.T) {
		sandbox := newSandbox(t)
		addHandler(t, sandbox, "handler1", redirect)
		assert.Equal(t, hyperlight.StatusReady, load(t, sandbox).Status())
	})

	// A handler function is exported for the user, unless the script has an export statement.

	t.Run("handler_with_export_in_string_literal", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				const xml = '<config mode="export">value</config>';
				return { result: xml };
			}`)
		assert.Equal(t, `{"result":"<config mode=\"export\">value</config>"}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("handler_with_export_in_comment", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				// TODO: export this data to CSV
				return { result: 42 };
			}`)
		assert.Equal(t, `{"result":42}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("handler_with_export_in_identifier", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				const exportPath = "/tmp/out.csv";
				return { result: exportPath };
			}`)
		assert.Equal(t, `{"result":"/tmp/out.csv"}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("handler_with_explicit_export_is_not_doubled", func(t *testing.T) {
		loaded := loadHandler(t, `
			function handler(event) {
				return { result: "explicit" };
			}
			export { handler };`)
		assert.Equal(t, `{"result":"explicit"}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("handler_with_export_default_function", func(t *testing.T) {
		loaded := loadHandler(t, `
			export function handler(event) {
				return { result: "inline-export" };
			}`)
		assert.Equal(t, `{"result":"inline-export"}`, handle(t, loaded, "handler", `{}`))
	})

	testModules(t)
}

// testModules runs those tests of js_sandbox.rs that are about modules.
func testModules(t *testing.T) {
	one := hyperlight.Script("export const x = 1;")
	two := hyperlight.Script("export const y = 2;")
	pi := hyperlight.Script("export const PI = 3.14;")

	// result is what a handler of these imports and this expression returns.
	result := func(t *testing.T, sandbox *hyperlight.JSSandbox, imports, expression string) string {
		t.Helper()
		addHandler(t, sandbox, "handler", imports+"\nexport function handler() { return "+expression+"; }")
		return handle(t, load(t, sandbox), "handler", `{}`)
	}
	// lacks asserts that a sandbox has no module of this name.
	lacks := func(t *testing.T, sandbox *hyperlight.JSSandbox, name, namespace string) {
		t.Helper()
		refused(t, sandbox.RemoveModuleNS(name, namespace), hyperlight.ErrModuleNotFound,
			"Module does not exist: "+namespace+":"+name)
	}

	t.Run("test_add_module", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModule("utils", one))
		require.NoError(t, sandbox.AddModule("helpers", two))
		assert.Equal(t, "[1,2]",
			result(t, sandbox, `import { x } from 'user:utils'; import { y } from 'user:helpers';`, `[x, y]`))
	})

	t.Run("test_add_module_with_custom_namespace", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModuleNS("math", pi, "mylib"))
		lacks(t, sandbox, "math", "user")
		assert.Equal(t, "3.14", result(t, sandbox, `import { PI } from 'mylib:math';`, `PI`))
	})

	t.Run("test_add_module_rejects_empty_name", func(t *testing.T) {
		err := newSandbox(t).AddModule("", one)
		refused(t, err, hyperlight.ErrInvalidArgument, "Module name must not be empty")
	})

	t.Run("test_add_module_rejects_empty_namespace", func(t *testing.T) {
		err := newSandbox(t).AddModuleNS("utils", one, "")
		refused(t, err, hyperlight.ErrInvalidArgument, "Module namespace must not be empty")
	})

	t.Run("test_add_module_rejects_colon_in_name", func(t *testing.T) {
		err := newSandbox(t).AddModule("bad:name", one)
		refused(t, err, hyperlight.ErrInvalidArgument, "Module name must not contain ':'")
	})

	t.Run("test_add_module_rejects_colon_in_namespace", func(t *testing.T) {
		err := newSandbox(t).AddModuleNS("utils", one, "bad:ns")
		refused(t, err, hyperlight.ErrInvalidArgument, "Module namespace must not contain ':'")
	})

	t.Run("test_add_module_rejects_reserved_namespace", func(t *testing.T) {
		err := newSandbox(t).AddModuleNS("utils", one, "host")
		refused(t, err, hyperlight.ErrInvalidArgument, "Module namespace 'host' is reserved")
	})

	t.Run("test_add_module_rejects_duplicate", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModule("utils", one))
		refused(t, sandbox.AddModule("utils", two), hyperlight.ErrModuleExists, "Module already exists: user:utils")
	})

	t.Run("test_remove_module", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModule("utils", one))
		require.NoError(t, sandbox.RemoveModule("utils"))
		lacks(t, sandbox, "utils", "user")
	})

	t.Run("test_remove_module_with_custom_namespace", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModuleNS("math", pi, "mylib"))
		require.NoError(t, sandbox.RemoveModuleNS("math", "mylib"))
		lacks(t, sandbox, "math", "mylib")
	})

	t.Run("test_clear_modules", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddModule("a", one))
		require.NoError(t, sandbox.AddModule("b", two))
		require.NoError(t, sandbox.ClearModules())
		lacks(t, sandbox, "a", "user")
		lacks(t, sandbox, "b", "user")
	})
}
