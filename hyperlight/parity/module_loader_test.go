package parity_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// fixtures are the files of upstream's tests/fixtures with these names.
func fixtures(t *testing.T, names ...string) fs.FS {
	t.Helper()
	all := map[string]string{
		"math.js": `
			export function add(a, b) { return a + b; }
			export function multiply(a, b) { return a * b; }`,
		"strings.js": `
			export function toUpperCase(str) { return str.toUpperCase(); }
			export function concat(...parts) { return parts.join(''); }`,
		"hitchhiker.js": `
			import { ultimateQuestionOfEverything } from "./galaxy/index.js";
			export { ultimateQuestionOfEverything };`,
		"galaxy/index.js": `
			import { ultimateQuestionOfEverything } from "./deepThought.js";
			export { ultimateQuestionOfEverything };`,
		"galaxy/deepThought.js": `
			const ultimateQuestionOfEverything = 42;
			export { ultimateQuestionOfEverything };`,
	}
	tree := fstest.MapFS{}
	for _, name := range names {
		require.Contains(t, all, name)
		tree[name] = &fstest.MapFile{Data: []byte(all[name])}
	}
	return tree
}

// newImporter boots a sandbox of upstream's sizes with a module loader.
func newImporter(t *testing.T, files fs.FS) *hyperlight.JSSandbox {
	t.Helper()
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults())
	require.NoError(t, err)
	closeWith(t, proto)
	require.NoError(t, proto.SetModuleLoader(files))
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	return sandbox
}

// TestModuleLoader is upstream's tests/module_loader.rs.
func TestModuleLoader(t *testing.T) {
	calculator := hyperlight.Script(`
    import { add, multiply } from './math.js';
    import { toUpperCase, concat } from './strings.js';

    function handler(event) {
        event.sum = add(event.a, event.b);
        event.product = multiply(event.a, event.b);
        event.message = toUpperCase(concat('Result: ', event.sum));
        return event;
    }`).WithVirtualBase("/")

	t.Run("test_handler_with_multiple_imports", func(t *testing.T) {
		sandbox := newImporter(t, fixtures(t, "math.js", "strings.js"))
		require.NoError(t, sandbox.AddHandler("calculator", calculator))
		assert.Equal(t, `{"a":5,"b":3,"sum":8,"product":15,"message":"RESULT: 8"}`,
			handle(t, load(t, sandbox), "calculator", `{"a": 5, "b": 3}`))
	})

	t.Run("test_handler_import_restrictions", func(t *testing.T) {
		sandbox := newImporter(t, fixtures(t, "math.js"))
		require.NoError(t, sandbox.AddHandler("calculator", calculator))
		assert.Equal(t, "Error resolving module './strings.js' from '/calculator.js'", loadFails(t, sandbox))
	})

	t.Run("test_resolve_module_without_resolver_set", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.AddHandler("calculator", hyperlight.Script(`
    import { add, multiply } from './math.js';

    function handler(event) {
        event.sum = add(event.a, event.b);
        event.product = multiply(event.a, event.b);
        return event;
    }`).WithVirtualBase("/")))
		assert.Equal(t, "Error resolving module './math.js' from '/calculator.js'", loadFails(t, sandbox))
	})

	t.Run("test_handler_import_from_a_subfolder", func(t *testing.T) {
		sandbox := newImporter(t, fixtures(t, "hitchhiker.js", "galaxy/deepThought.js", "galaxy/index.js"))
		require.NoError(t, sandbox.AddHandler("hitchhiker", hyperlight.Script(`
    import { ultimateQuestionOfEverything } from './galaxy/index.js';

    function handler(event) {
        return ultimateQuestionOfEverything;
    }`).WithVirtualBase("/")))
		assert.Equal(t, `42`, handle(t, load(t, sandbox), "hitchhiker", `{}`))
	})
}
