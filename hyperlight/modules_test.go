package hyperlight_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestBadModules(t *testing.T) {
	sandbox := newSandbox(t)
	script := hyperlight.Script(`export const x = 1;`)
	require.NoError(t, sandbox.AddModule("taken", script))
	add := func(name string) error { return sandbox.AddModule(name, script) }
	addIn := func(namespace string) error { return sandbox.AddModuleNS("name", script, namespace) }
	removeFrom := func(namespace string) error { return sandbox.RemoveModuleNS("name", namespace) }
	source := func(text string) error { return sandbox.AddModule("name", hyperlight.Script(text)) }
	for name, test := range map[string]struct {
		use      func(string) error
		argument string
		sentinel error
		text     string
	}{
		"empty name":          {add, "", hyperlight.ErrInvalidArgument, "AddModule: Module name must not be empty"},
		"blank name":          {add, " \t", hyperlight.ErrInvalidArgument, "AddModule: Module name must not be empty"},
		"name with a colon":   {add, "a:b", hyperlight.ErrInvalidArgument, "AddModule: Module name must not contain ':'"},
		"name with a NUL":     {add, "a\x00", hyperlight.ErrInvalidArgument, "AddModule: the module name contains a NUL byte at offset 1"},
		"name not UTF-8":      {add, "a\xff", hyperlight.ErrInvalidArgument, "AddModule: the module name is not UTF-8: invalid byte at offset 1"},
		"taken name":          {add, "taken", hyperlight.ErrModuleExists, "AddModule: Module already exists: user:taken"},
		"empty namespace":     {addIn, "", hyperlight.ErrInvalidArgument, "AddModuleNS: Module namespace must not be empty"},
		"colon in namespace":  {addIn, "a:b", hyperlight.ErrInvalidArgument, "AddModuleNS: Module namespace must not contain ':'"},
		"reserved namespace":  {addIn, "host", hyperlight.ErrInvalidArgument, "AddModuleNS: Module namespace 'host' is reserved"},
		"remove reserved":     {removeFrom, "host", hyperlight.ErrInvalidArgument, "RemoveModuleNS: Module namespace 'host' is reserved"},
		"remove unknown":      {sandbox.RemoveModule, "x", hyperlight.ErrModuleNotFound, "RemoveModule: Module does not exist: user:x"},
		"remove empty":        {sandbox.RemoveModule, "", hyperlight.ErrInvalidArgument, "RemoveModule: Module name must not be empty"},
		"source with a NUL":   {source, "//\x00", hyperlight.ErrInvalidArgument, "AddModule: the script contains a NUL byte at offset 2"},
		"source beyond input": {source, strings.Repeat(" ", 1<<20), hyperlight.ErrBufferTooSmall, "AddModule: the script needs 1048748 bytes of the input buffer, which has 1048576 (raise WithInputBufferSize)"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.use(test.argument)
			require.ErrorIs(t, err, test.sentinel)
			assert.EqualError(t, err, "hyperlight: "+test.text)
			assert.Equal(t, hyperlight.StatusReady, sandbox.Status())
		})
	}
}

// The largest module that is accepted arrives.
func TestModulesAtTheLimitOfTheInputBuffer(t *testing.T) {
	sandbox := newSandbox(t, hyperlight.WithUpstreamDefaults())
	for n := 16 << 10; ; n-- {
		err := sandbox.AddModule("limit", hyperlight.Script("export const x = 1; //"+strings.Repeat("x", n)))
		if err == nil {
			break
		}
		require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	}
	require.NoError(t, sandbox.AddHandler("handler", hyperlight.Script(`
import { x } from "user:limit";
export function handler() { return x; }`)))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	assert.Equal(t, `1`, call(t, loaded, `{}`))
}

func TestScriptFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "script.js")
	require.NoError(t, os.WriteFile(path, []byte(`function handler() { throw new Error("here"); }`), 0o600))
	script, err := hyperlight.ScriptFile(path)
	require.NoError(t, err)
	assert.Equal(t, `function handler() { throw new Error("here"); }`, script.Content())
	assert.Equal(t, folder, script.BasePath())

	_, err = hyperlight.ScriptFile(filepath.Join(folder, "missing.js"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.ErrorContains(t, err, "hyperlight: ScriptFile: Failed to read script from '"+folder+"/missing.js': ")
}

func TestVirtualBase(t *testing.T) {
	sandbox := newSandbox(t)
	script := hyperlight.Script(`function handler() { throw new Error("here"); }`)
	assert.Empty(t, script.BasePath())
	based := script.WithVirtualBase("/virtual/folder")
	assert.Empty(t, script.BasePath(), "a copy was changed")
	require.NoError(t, sandbox.AddHandler("handler", based))
	loaded, err := sandbox.Load(t.Context())
	require.NoError(t, err)
	closeWith(t, loaded)
	_, err = loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.Equal(t, "    at handler (/virtual/folder/handler.js:1:31)\n", asError(t, err).Exception.Stack)

	err = newSandbox(t).AddHandler("handler", script.WithVirtualBase("/a\x00b"))
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.EqualError(t, err, "hyperlight: AddHandler: the base path contains a NUL byte at offset 2")
}

func TestValidateModuleName(t *testing.T) {
	require.NoError(t, hyperlight.ValidateModuleName("utils", "user"))
	require.NoError(t, hyperlight.ValidateModuleName("ü/😊", "x"))
	for text, names := range map[string][2]string{
		"Module name must not be empty":                   {" ", "user"},
		"Module name must not contain ':'":                {"a:b", "user"},
		"Module namespace must not be empty":              {"a", ""},
		"Module namespace must not contain ':'":           {"a", "b:"},
		"Module namespace 'host' is reserved":             {"a", "host"},
		"the module name contains a NUL byte at offset 1": {"a\x00", "user"},
	} {
		err := hyperlight.ValidateModuleName(names[0], names[1])
		require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		assert.Equal(t, text, asError(t, err).Message)
	}
}

func ExampleValidateModuleName() {
	fmt.Println(hyperlight.ValidateModuleName("math", "host"))
	// Output: hyperlight: ValidateModuleName: Module namespace 'host' is reserved
}
