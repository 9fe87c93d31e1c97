package hyperlight_test

import (
	"archive/zip"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

//go:embed testdata/modules
var embedded embed.FS

// embeddedModules is the folder that the directive above has to name from here.
func embeddedModules(t *testing.T) fs.FS {
	t.Helper()
	folder, err := fs.Sub(embedded, "testdata/modules")
	require.NoError(t, err)
	return folder
}

// files is a tree of files from their names and contents.
func files(contents map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, content := range contents {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return tree
}

// newImporter boots a sandbox with a module loader.
func newImporter(t *testing.T, fsys fs.FS, opts ...hyperlight.Option) *hyperlight.JSSandbox {
	t.Helper()
	proto := newProto(t, opts...)
	require.NoError(t, proto.SetModuleLoader(fsys))
	return boot(t, proto)
}

func addAt(t *testing.T, sandbox *hyperlight.JSSandbox, name, base, source string) {
	t.Helper()
	require.NoError(t, sandbox.AddHandler(name, hyperlight.Script(source).WithVirtualBase(base)))
}

// result runs a handler, and returns what it returned: text or the text of JSON.
func result(t *testing.T, loaded *hyperlight.LoadedJSSandbox, name, event string) string {
	t.Helper()
	answer, err := loaded.HandleEvent(t.Context(), name, []byte(event))
	require.NoError(t, err)
	text := string(answer)
	_ = json.Unmarshal(answer, &text)
	return text
}

// importing is a handler that imports what the event says, and returns its export "is" or why it could not.
const importing = `
export async function handler(name) {
	try { return (await import(name)).is } catch (e) { return e.name + ": " + e.message }
}`

// importer loads a handler called "handler" that imports at call time.
func importer(t *testing.T, fsys fs.FS, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	t.Helper()
	sandbox := newImporter(t, fsys, opts...)
	addAt(t, sandbox, "handler", "/", importing)
	return load(t, sandbox)
}

func importOf(t *testing.T, loaded *hyperlight.LoadedJSSandbox, name string) string {
	t.Helper()
	event, err := json.Marshal(name)
	require.NoError(t, err)
	return result(t, loaded, "handler", string(event))
}

// loadFails loads a handler that imports a module, and returns why that failed.
func loadFails(t *testing.T, fsys fs.FS, name string) error {
	t.Helper()
	sandbox := newImporter(t, fsys)
	addAt(t, sandbox, "handler", "/", fmt.Sprintf("import * as m from %q;\nexport function handler() { return m.is; }", name))
	_, err := sandbox.Load(t.Context())
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	assert.Equal(t, hyperlight.StatusConsumed, sandbox.Status())
	return err
}

// isItself gives each file an export that tells which it is.
func isItself(names ...string) map[string]string {
	contents := map[string]string{}
	for _, name := range names {
		contents[name] = fmt.Sprintf("export const is = %q;", name)
	}
	return contents
}

func TestModulesAreFoundFromEveryBase(t *testing.T) {
	tree := files(isItself("x.js", "lib/x.js", "lib/y.js", "a/b/x.js", "node_modules/p/index.js", "a/node_modules/q/index.js"))
	sandbox := newImporter(t, tree)
	imports := []struct{ base, name, is string }{
		{"/", "./x.js", "x.js"},
		{"/", "/x.js", "x.js"},
		{"/", "./lib/y.js", "lib/y.js"},
		{"/", "../x.js", "x.js"},
		{"/", "../../../../x.js", "x.js"},
		{"/", "./lib/../../../x.js", "x.js"},
		{"/", "/../../x.js", "x.js"},
		{"/", "p", "node_modules/p/index.js"},
		{"/", "q", ""},
		{"/", "x.js", ""},
		{"", "./x.js", "x.js"},
		{"", "../x.js", "x.js"},
		{"", "./lib/y.js", "lib/y.js"},
		{"", "p", "node_modules/p/index.js"},
		{".", "./x.js", "x.js"},
		{".", "/lib/x.js", "lib/x.js"},
		{".", "p", "node_modules/p/index.js"},
		{"lib", "./x.js", "lib/x.js"},
		{"lib", "../x.js", "x.js"},
		{"lib", "../../../x.js", "x.js"},
		{"lib", "p", "node_modules/p/index.js"},
		{"./lib", "./y.js", "lib/y.js"},
		{"lib/", "./y.js", "lib/y.js"},
		{"/lib/", "./y.js", "lib/y.js"},
		{"/a/b", "./x.js", "a/b/x.js"},
		{"/a/b", "../../x.js", "x.js"},
		{"/a/b", "../../../../../lib/y.js", "lib/y.js"},
		{"/a/b", "p", "node_modules/p/index.js"},
		{"/a/b", "q", "a/node_modules/q/index.js"},
		{"a/b", "q", "a/node_modules/q/index.js"},
		{"/a/../lib", "./x.js", "lib/x.js"},
		{"../lib", "./x.js", "lib/x.js"},
		{"/a/nowhere", "../../x.js", "x.js"},
		{"/", "../../../../etc/passwd", ""},
		{"/", "/etc/passwd", ""},
		{"/", "file:///etc/passwd", ""},
		{"/", "file:///x.js", "x.js"},
	}
	for i, row := range imports {
		addAt(t, sandbox, strconv.Itoa(i), row.base, importing)
	}
	loaded := load(t, sandbox)
	for i, row := range imports {
		t.Run(row.base+" "+row.name, func(t *testing.T) {
			is := row.is
			if is == "" {
				file := strings.TrimSuffix(row.base, "/") + "/" + strconv.Itoa(i) + ".js"
				is = fmt.Sprintf("ReferenceError: Error resolving module '%s' from '%s'", row.name, file)
			}
			event := fmt.Sprintf("%q", row.name)
			assert.Equal(t, is, result(t, loaded, strconv.Itoa(i), event))
		})
	}
}

func TestFilesAreFoundAsNodeFindsThem(t *testing.T) {
	contents := isItself("a.js", "b.mjs", "both.js", "both.mjs", "bare", "c.json.js", "with space é😊.js", "UPPER.js",
		"folder/index.js", "mfolder/index.mjs", "file.js", "file/index.js", "percent%20.js", "dots..js", "app/start.js")
	contents["app/package.json"] = `{"main": "./start"}`
	contents["empty/readme.txt"] = ""
	contents["data.json"] = `{"x": 1}`
	loaded := importer(t, files(contents))
	for name, is := range map[string]string{
		"./a":                     "a.js",
		"./b":                     "b.mjs",
		"./b.mjs":                 "b.mjs",
		"./both":                  "both.js",
		"./bare":                  "bare",
		"./c.json":                "c.json.js",
		"./with space é😊.js":      "with space é😊.js",
		"./with space é😊":         "with space é😊.js",
		"./percent%20.js":         "percent%20.js",
		"./dots..js":              "dots..js",
		"./folder":                "folder/index.js",
		"./folder/":               "folder/index.js",
		"./mfolder":               "mfolder/index.mjs",
		"./file":                  "file.js",
		"./file/":                 "file/index.js",
		"./app":                   "app/start.js",
		"./a.js?x=1":              "a.js",
		"./a.js#part":             "a.js",
		"./a?x#y":                 "a.js",
		".//folder///.//index.js": "folder/index.js",

		"./upper.js": "", "./a.mjs": "", "./empty": "", "./a.js/": "", "./a/b": "", "": "", ".": "", "/": "", "./data": "",
		"a": "", `.\a.js`: "", "https://example.org/a.js": "", "node:fs": "",
	} {
		t.Run(name, func(t *testing.T) {
			if is == "" {
				is = fmt.Sprintf("ReferenceError: Error resolving module '%s' from '/handler.js'", name)
			}
			assert.Equal(t, is, importOf(t, loaded, name))
		})
	}
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}

func TestPackages(t *testing.T) {
	contents := isItself(
		"node_modules/main/lib/main.js", "node_modules/main/lib/other.js", "node_modules/main/module.js",
		"node_modules/onlymodule/module.js", "node_modules/onlymodule/index.js", "node_modules/noext/dist/index.js",
		"node_modules/exports/import.js", "node_modules/exports/require.js", "node_modules/exports/default.js",
		"node_modules/exports/module.js", "node_modules/exports/features/one.js", "node_modules/exports/hidden.js",
		"node_modules/string/only.js", "node_modules/@scope/name/index.js", "node_modules/@scope/name/sub/deep.js",
		"self/src/other.js", "self/src/internal.js",
	)
	contents["node_modules/main/package.json"] = `{"name": "main", "main": "lib/main.js", "module": "module.js"}`
	contents["node_modules/onlymodule/package.json"] = `{"name": "onlymodule", "module": "module.js"}`
	contents["node_modules/noext/package.json"] = `{"name": "noext", "main": "dist"}`
	contents["node_modules/exports/package.json"] = `{"name": "exports", "main": "hidden.js", "exports": {
		".": {"node": "./hidden.js", "require": "./require.js", "import": "./import.js", "default": "./default.js"},
		"./module": {"require": "./require.js", "module": "./module.js", "default": "./default.js"},
		"./default": {"node": "./hidden.js", "default": "./default.js"},
		"./require": {"require": "./require.js"},
		"./features/*": "./features/*.js",
		"./null": null,
		"./outside": "./../main/lib/main.js"}}`
	contents["node_modules/string/package.json"] = `{"name": "string", "exports": "./only.js"}`
	contents["node_modules/@scope/name/package.json"] = "\uFEFF" + `{"name": "@scope/name"}`
	contents["node_modules/broken/package.json"] = `{"name": `
	contents["node_modules/broken/index.js"] = `export const is = "broken";`
	contents["self/package.json"] = `{"name": "self", "exports": {"./other": "./src/other.js"}, "imports": {"#internal": "./src/internal.js"}}`
	sandbox := newImporter(t, files(contents))
	addAt(t, sandbox, "handler", "/", importing)
	addAt(t, sandbox, "self", "/self/src", importing)
	loaded := load(t, sandbox)
	for name, is := range map[string]string{
		"main":                 "node_modules/main/lib/main.js",
		"main/lib/other.js":    "node_modules/main/lib/other.js",
		"main/lib/other":       "node_modules/main/lib/other.js",
		"onlymodule":           "node_modules/onlymodule/index.js",
		"noext":                "node_modules/noext/dist/index.js",
		"exports":              "node_modules/exports/import.js",
		"exports/module":       "node_modules/exports/module.js",
		"exports/default":      "node_modules/exports/default.js",
		"exports/features/one": "node_modules/exports/features/one.js",
		"string":               "node_modules/string/only.js",
		"@scope/name":          "node_modules/@scope/name/index.js",
		"@scope/name/sub/deep": "node_modules/@scope/name/sub/deep.js",

		"exports/require": "", "exports/hidden.js": "", "exports/null": "", "exports/outside": "", "exports/features/none": "",
		"string/only.js": "", "@scope": "", "@scope/none": "", "none": "", "broken": "", "../main": "",
	} {
		t.Run(name, func(t *testing.T) {
			if is == "" {
				is = fmt.Sprintf("ReferenceError: Error resolving module '%s' from '/handler.js'", name)
			}
			assert.Equal(t, is, importOf(t, loaded, name))
		})
	}
	assert.Equal(t, "self/src/internal.js", result(t, loaded, "self", `"#internal"`))
	assert.Equal(t, "self/src/other.js", result(t, loaded, "self", `"self/other"`))
}

func TestModulesImportEachOther(t *testing.T) {
	sandbox := newImporter(t, files(map[string]string{
		"one.js":     `import { two } from "./lib/two.js"; export const one = "1" + two;`,
		"lib/two.js": `import { three } from "../three.mjs"; export const two = "2" + three;`,
		"three.mjs":  `import { four } from "four"; export const three = "3" + four;`,
		"node_modules/four/index.js": `
			import { five } from "./five.js";
			import { x } from "user:x";
			import { createHmac } from "crypto";
			export const four = "4" + five + x + typeof createHmac;`,
		"node_modules/four/five.js": `export const five = "5";`,

		"even.js": `import { odd } from "./odd.js"; export function even(n) { return n === 0 || odd(n - 1); }`,
		"odd.js":  `import { even } from "./even.js"; export function odd(n) { return n !== 0 && even(n - 1); }`,

		"await.js": `export const late = await Promise.resolve("late");`,
	}))
	require.NoError(t, sandbox.AddModule("x", hyperlight.Script(`import { six } from "user:six"; export const x = six;`)))
	// A user module has no folder; what it imports is relative to the root.
	require.NoError(t, sandbox.AddModule("six", hyperlight.Script(`import { even } from "./even.js"; export const six = even(6);`)))
	addAt(t, sandbox, "chain", "/", `
import { one } from "./one.js";
export function handler() { return one; }`)
	addAt(t, sandbox, "cycle", "/", `
import { even } from "./even.js";
export function handler(n) { return even(n); }`)
	// A handler is no file, even when it is called like one.
	addAt(t, sandbox, "await", "/", `
import { late } from "./await.js";
export function handler() { return late; }`)
	addAt(t, sandbox, "require", "/", `
export function handler() { return require("./one.js").one; }`)
	loaded := load(t, sandbox)
	assert.Equal(t, "12345truefunction", result(t, loaded, "chain", `{}`))
	assert.Equal(t, "true", result(t, loaded, "cycle", `10`))
	assert.Equal(t, "false", result(t, loaded, "cycle", `11`))
	assert.Equal(t, "late", result(t, loaded, "await", `{}`))
	assert.Equal(t, "12345truefunction", result(t, loaded, "require", `{}`))
}

// However a file is named, it is one module.
func TestModulesAreSharedByHandlers(t *testing.T) {
	sandbox := newImporter(t, files(map[string]string{
		"lib/count.js": `let count = 0; export function next() { return ++count; }`,
	}))
	bases := []struct{ base, name string }{
		{"/", "./lib/count.js"},
		{"", "./lib/count.js"},
		{".", "./lib/count"},
		{"lib", "./count.js"},
		{"./lib", "../lib/count.js"},
		{"/lib", "./count.js"},
		{"/lib/..", "./lib/count.js"},
		{"/a/b", "/lib/count.js"},
		{"", "../../lib/./count.js"},
	}
	for i, row := range bases {
		addAt(t, sandbox, strconv.Itoa(i), row.base, fmt.Sprintf(`
import { next } from %q;
export function handler() { return next(); }`, row.name))
	}
	loaded := load(t, sandbox)
	for i := range bases {
		assert.Equal(t, strconv.Itoa(i+1), result(t, loaded, strconv.Itoa(i), `{}`))
	}
}

// What is there is asked once; what it contains, for every load.
func TestModulesAfterUnload(t *testing.T) {
	tree := files(map[string]string{"x.js": `export const is = "old";`})
	sandbox := newImporter(t, tree)
	addAt(t, sandbox, "handler", "/", importing)
	loaded := load(t, sandbox)
	assert.Equal(t, "old", importOf(t, loaded, "./x.js"))
	assert.Contains(t, importOf(t, loaded, "./y.js"), "Error resolving")
	tree["x.js"] = &fstest.MapFile{Data: []byte(`export const is = "new";`)}
	tree["y.js"] = tree["x.js"]
	assert.Equal(t, "old", importOf(t, loaded, "./x.js"), "it is loaded")

	sandbox, err := loaded.Unload(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	addAt(t, sandbox, "handler", "/", importing)
	loaded = load(t, sandbox)
	assert.Equal(t, "new", importOf(t, loaded, "./x.js"))
	assert.Contains(t, importOf(t, loaded, "./y.js"), "Error resolving", "upstream remembers that it was not there")
}

func TestUserModulesGoBeforeFiles(t *testing.T) {
	sandbox := newImporter(t, files(isItself("user:x", "node_modules/user:x/index.js", "node_modules/crypto/index.js", "node_modules/io.js")))
	require.NoError(t, sandbox.AddModule("x", hyperlight.Script(`export const is = "user";`)))
	addAt(t, sandbox, "handler", "/", importing)
	addAt(t, sandbox, "builtin", "/", `
import * as crypto from "crypto";
export function handler() { return typeof crypto.createHmac + crypto.is; }`)
	loaded := load(t, sandbox)
	assert.Equal(t, "user", importOf(t, loaded, "user:x"))
	assert.Equal(t, "functionundefined", result(t, loaded, "builtin", `{}`))
}

func TestModulesOfEveryFileSystem(t *testing.T) {
	const source = `export const is = "here";`
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "root", "lib"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "root", "lib", "x.js"), []byte(source), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "secret.js"), []byte(source), 0o600))
	require.NoError(t, os.Symlink("../secret.js", filepath.Join(folder, "root", "out.js")))
	require.NoError(t, os.Symlink("lib", filepath.Join(folder, "root", "link")))
	root, err := os.OpenRoot(filepath.Join(folder, "root"))
	require.NoError(t, err)
	closeWith(t, root)

	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	entry, err := writer.Create("lib/x.js")
	require.NoError(t, err)
	_, err = io.WriteString(entry, source)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	zipped, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	require.NoError(t, err)

	for name, fsys := range map[string]fs.FS{
		"fstest.MapFS": files(map[string]string{"lib/x.js": source}),
		"os.DirFS":     os.DirFS(filepath.Join(folder, "root")),
		"os.Root":      root.FS(),
		"zip.Reader":   zipped,
		"no methods":   struct{ fs.FS }{files(map[string]string{"lib/x.js": source})},
	} {
		t.Run(name, func(t *testing.T) {
			loaded := importer(t, fsys)
			assert.Equal(t, "here", importOf(t, loaded, "./lib/x.js"))
			assert.Equal(t, "here", importOf(t, loaded, "./lib/x"))
			assert.Contains(t, importOf(t, loaded, "./lib"), "Error resolving")
			assert.Contains(t, importOf(t, loaded, "../secret.js"), "Error resolving")
			assert.Contains(t, importOf(t, loaded, "/../../secret.js"), "Error resolving")
			switch name {
			case "os.DirFS":
				assert.Equal(t, "here", importOf(t, loaded, "./link/x.js"))
				assert.Equal(t, "here", importOf(t, loaded, "./out.js"), "os.DirFS follows links to anywhere")
			case "os.Root":
				assert.Equal(t, "here", importOf(t, loaded, "./link/x.js"))
				assert.Contains(t, importOf(t, loaded, "./out.js"), "Error resolving")
				assert.ErrorContains(t, loadFails(t, fsys, "./out.js"), "path escapes from parent")
			}
		})
	}
}

func TestScriptFS(t *testing.T) {
	tree := embeddedModules(t)
	script, err := hyperlight.ScriptFS(tree, "greet.js")
	require.NoError(t, err)
	assert.Contains(t, script.Content(), "./lib/greeting.js")
	assert.Equal(t, "/", script.BasePath())
	below, err := hyperlight.ScriptFS(embedded, "testdata/modules/greet.js")
	require.NoError(t, err)
	assert.Equal(t, "/testdata/modules", below.BasePath())

	sandbox := newImporter(t, tree)
	require.NoError(t, sandbox.AddHandler("handler", script))
	assert.Equal(t, `"Hello, you!"`, call(t, load(t, sandbox), `{"name":"you"}`))
	sandbox = newImporter(t, embedded)
	require.NoError(t, sandbox.AddHandler("handler", below))
	assert.Equal(t, `"Hello, you!"`, call(t, load(t, sandbox), `{"name":"you"}`))
}

// A script's base path, relative to the process's working folder, is relative to the root of an os.DirFS of it.
func TestScriptFileThatImports(t *testing.T) {
	t.Chdir("testdata")
	script, err := hyperlight.ScriptFile("modules/greet.js")
	require.NoError(t, err)
	sandbox := newImporter(t, os.DirFS("."))
	require.NoError(t, sandbox.AddHandler("handler", script))
	assert.Equal(t, `"Hello, you!"`, call(t, load(t, sandbox), `{"name":"you"}`))
}

func TestScriptsThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	bad := filepath.Join(folder, "bad.js")
	require.NoError(t, os.WriteFile(bad, []byte("//\xff"), 0o600))
	tree := os.DirFS(folder)
	fromFile := func(name string) error { _, err := hyperlight.ScriptFile(name); return err }
	fromFS := func(name string) error { _, err := hyperlight.ScriptFS(tree, name); return err }
	for name, test := range map[string]struct {
		err  error
		text string
		is   error
	}{
		"no file":         {fromFS("x.js"), "ScriptFS: Failed to read script from 'x.js': open x.js: no such file or directory", fs.ErrNotExist},
		"a folder":        {fromFS("."), "ScriptFS: Failed to read script from '.': read .: is a directory", nil},
		"outside":         {fromFS("../x.js"), "ScriptFS: Failed to read script from '../x.js': readfile ../x.js: invalid argument", fs.ErrInvalid},
		"no text":         {fromFS("bad.js"), "ScriptFS: Failed to read script from 'bad.js': stream did not contain valid UTF-8", nil},
		"no text, a file": {fromFile(bad), "ScriptFile: Failed to read script from '" + bad + "': stream did not contain valid UTF-8", nil},
		"nil":             {func() error { _, err := hyperlight.ScriptFS(nil, "x"); return err }(), "ScriptFS: fsys is nil", nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, test.err, hyperlight.ErrInvalidArgument)
			assert.ErrorContains(t, test.err, "hyperlight: "+test.text)
			if test.is != nil {
				assert.ErrorIs(t, test.err, test.is)
			}
		})
	}
}

// What a module does wrong is told with its name.
func TestModulesThatFail(t *testing.T) {
	tree := files(map[string]string{
		"syntax.js": "export const is = 1;\nexport const = 2;",
		"throws.js": "throw new TypeError('top');",
		"imports.js": `import "./gone.js";
			export const is = 1;`,
		"data.json":   `{"is": 1}`,
		"commonjs.js": `module.exports = { is: 1 };`,
		"nul.js":      "export const is = '\x00';",
		"latin1.js":   "export const is = '\xe9';",
	})
	for name, test := range map[string]struct{ message, stack, reason string }{
		"./syntax.js":   {"variable name expected", "    at syntax.js:2:1\n", ""},
		"./throws.js":   {"top", "    at <anonymous> (throws.js:1:10)\n", ""},
		"./imports.js":  {"Error resolving module './gone.js' from 'imports.js'", "", ""},
		"./gone.js":     {"Error resolving module './gone.js' from '/handler.js'", "", ""},
		"./data.json":   {"expecting ';'", "    at data.json:1:1\n", ""},
		"./commonjs.js": {"module is not defined", "    at <anonymous> (commonjs.js:1:1)\n", ""},
		"./nul.js":      {"Error loading module 'nul.js'", "", "read nul.js: the module contains a NUL byte at offset 19"},
		"./latin1.js":   {"Error loading module 'latin1.js'", "", "read latin1.js: the module is not UTF-8: invalid byte at offset 19"},
	} {
		t.Run(name, func(t *testing.T) {
			err := loadFails(t, tree, name)
			exception := asError(t, err).Exception
			assert.Equal(t, test.message, exception.Message)
			assert.Equal(t, test.stack, exception.Stack)
			text := "hyperlight: Load: " + exceptionText(test.message, test.stack)
			if test.reason != "" {
				text += ": hyperlight: " + test.reason
				assert.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
			} else {
				assert.NoError(t, exception.Unwrap())
			}
			assert.EqualError(t, err, text)
		})
	}
}

// A module that the input buffer cannot carry is refused; upstream would poison the sandbox.
func TestFilesAtTheLimitOfTheInputBuffer(t *testing.T) {
	const buffer = 16 << 10
	contents := map[string]string{}
	for size := buffer - 120; size <= buffer+1; size++ {
		source := fmt.Sprintf("export const is = %q; //", "fits")
		contents[fmt.Sprintf("%d.js", size)] = source + strings.Repeat("x", size-len(source))
	}
	contents["huge.js"] = strings.Repeat(" ", 4<<20)
	loaded := importer(t, files(contents), hyperlight.WithUpstreamDefaults(), hyperlight.WithScratchSize(8<<20), hyperlight.WithHeapSize(8<<20))
	limit := buffer - 120
	for ; importOf(t, loaded, fmt.Sprintf("./%d.js", limit)) == "fits"; limit++ {
		require.Less(t, limit, buffer, "some are too big")
	}
	require.Greater(t, limit, buffer-120, "some are not")
	for size := limit; size <= buffer+1; size++ {
		name := fmt.Sprintf("%d.js", size)
		require.Equal(t, "ReferenceError: Error loading module '"+name+"'", importOf(t, loaded, "./"+name))
	}
	assert.Equal(t, "ReferenceError: Error loading module 'huge.js'", importOf(t, loaded, "./huge.js"))
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	assert.Equal(t, "fits", importOf(t, loaded, fmt.Sprintf("./%d.js", limit-1)))
}

func TestFilesThatAreTooBig(t *testing.T) {
	tree := files(map[string]string{"x.js": strings.Repeat(" ", 1<<20), "y.js": strings.Repeat(" ", 1<<20+1)})
	for name, reason := range map[string]string{
		"x.js": "the module needs 1048664 bytes of the input buffer, which has 1048576",
		"y.js": "it has 1048577 bytes, and may have 1048576",
	} {
		err := loadFails(t, tree, "./"+name)
		require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
		assert.ErrorContains(t, err, "Error loading module '"+name+"'")
		assert.ErrorContains(t, err, "hyperlight: read "+name+": "+reason+" (raise WithInputBufferSize)")
	}
}

// A package.json does not go to the guest, so it may be longer than the input buffer.
func TestLongManifest(t *testing.T) {
	manifest := func(length int) string {
		return `{"main": "m.js", "description": "` + strings.Repeat("x", length) + `"}`
	}
	contents := isItself("node_modules/long/m.js", "node_modules/endless/m.js")
	contents["node_modules/long/package.json"] = manifest(3 << 20)
	contents["node_modules/endless/package.json"] = manifest(5 << 20)
	loaded := importer(t, files(contents))
	assert.Equal(t, "node_modules/long/m.js", importOf(t, loaded, "long"))
	assert.Contains(t, importOf(t, loaded, "endless"), "Error resolving module")
	err := loadFails(t, files(contents), "endless")
	require.ErrorIs(t, err, hyperlight.ErrBufferTooSmall)
	assert.ErrorContains(t, err, "it has 5242915 bytes, and may have 4194304")
}

// Upstream repeats the name twice in its error, which it sends to the guest whatever its length.
func TestImportOfAVeryLongName(t *testing.T) {
	loaded := importer(t, files(nil), hyperlight.WithUpstreamDefaults(), hyperlight.WithScratchSize(8<<20))
	is := importOf(t, loaded, "./"+strings.Repeat("x", 5000))
	assert.Contains(t, is, "ReferenceError: Error resolving module './xxx")
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())

	_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"./`+strings.Repeat("x", 9000)+`"`))
	require.ErrorIs(t, err, hyperlight.ErrVMFailure)
	assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
}

// hostile is a file system made of a function.
type hostile func(name string) (fs.File, error)

func (h hostile) Open(name string) (fs.File, error) { return h(name) }

// endlessFile is a file without an end.
type endlessFile struct{ fs.File }

func (endlessFile) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte{' '}, len(p))), nil
}

// breaking is a file that cannot be read to its end.
type breaking struct{ fs.File }

var errBroken = errors.New("the disk is gone")

func (breaking) Read(p []byte) (int, error) { return copy(p, "//"), errBroken }

func TestHostileFileSystems(t *testing.T) {
	tree := files(map[string]string{"x.js": `export const is = "here";`})
	wrapped := func(wrap func(fs.File) fs.File) hostile {
		return func(name string) (fs.File, error) {
			file, err := tree.Open(name)
			if name == "x.js" && err == nil {
				file = wrap(file)
			}
			return file, err
		}
	}
	for name, test := range map[string]struct {
		fsys   fs.FS
		is     error
		reason string
	}{
		"denies": {
			hostile(func(name string) (fs.File, error) {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
			}),
			fs.ErrPermission, ": permission denied",
		},
		"panics": {
			hostile(func(name string) (fs.File, error) { panic("no " + name[:0] + "way") }),
			nil, "the file system panicked: no way",
		},
		"panics with an error": {
			hostile(func(string) (fs.File, error) { panic(errBroken) }),
			errBroken, "the file system panicked: the disk is gone",
		},
		"ends its goroutine": {
			hostile(func(string) (fs.File, error) { runtime.Goexit(); return nil, nil }),
			nil, "the file system called runtime.Goexit",
		},
		"gives no file": {
			hostile(func(string) (fs.File, error) { return nil, nil }),
			nil, "the file system panicked: runtime error: invalid memory address or nil pointer dereference",
		},
		"never ends": {
			wrapped(func(f fs.File) fs.File { return endlessFile{f} }),
			hyperlight.ErrBufferTooSmall, "read x.js: it has more than 1048576 bytes, and may have 1048576",
		},
		"breaks off": {
			wrapped(func(f fs.File) fs.File { return breaking{f} }),
			errBroken, ": the disk is gone",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := loadFails(t, test.fsys, "./x.js")
			assert.ErrorContains(t, err, test.reason)
			if test.is != nil {
				assert.ErrorIs(t, err, test.is)
			}
			loaded := importer(t, test.fsys)
			assert.Regexp(t, "^ReferenceError: Error (resolving|loading) module '", importOf(t, loaded, "./x.js"))
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
}

// A failure is the reason of the exception that came of it, and of no other.
func TestFailuresThatDoNotCount(t *testing.T) {
	tree := files(isItself("x.js"))
	sandbox := newImporter(t, hostile(func(name string) (fs.File, error) {
		if strings.HasPrefix(name, "secret") {
			return nil, fs.ErrPermission
		}
		return tree.Open(name)
	}))
	addAt(t, sandbox, "handler", "/", `
export async function handler(event) {
	for (const name of event.imports) {
		try { await import(name) } catch (e) { if (event.rethrow) throw e }
	}
	throw new Error("another matter");
}`)
	loaded := load(t, sandbox)
	for _, test := range []struct {
		event  string
		counts bool
	}{
		{`{"imports": ["./secret1.js"]}`, false},
		{`{"imports": ["./gone.js"], "rethrow": true}`, false}, // What failed, failed in another call.
		{`{"imports": ["./x.js", "./secret2.js"], "rethrow": true}`, true},
		{`{"imports": ["./secret2.js"], "rethrow": true}`, false}, // Upstream does not ask again.
	} {
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(test.event))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Equal(t, test.counts, errors.Is(err, fs.ErrPermission), test.event)
	}
}

// Once its call is over by its context, a guest gets no more files.
func TestModulesAndContexts(t *testing.T) {
	tree := files(isItself("x.js", "y.js"))
	ctx, cancel := context.WithCancelCause(t.Context())
	opened := 0
	sandbox := newImporter(t, hostile(func(name string) (fs.File, error) {
		opened++
		cancel(errBroken)
		return tree.Open(name)
	}))
	addAt(t, sandbox, "handler", "/", `
import "./x.js";
import "./y.js";
export function handler() {}`)
	_, err := sandbox.Load(ctx)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, opened)
}

func TestModuleLoaderThatIsReplaced(t *testing.T) {
	proto, err := hyperlight.New()
	require.NoError(t, err)
	closeWith(t, proto)
	require.NoError(t, proto.SetModuleLoader(files(isItself("old.js"))))
	require.NoError(t, proto.SetModuleLoader(files(isItself("new.js"))))
	assert.Equal(t, hyperlight.StatusReady, proto.Status())
	sandbox, err := proto.LoadRuntime(t.Context())
	require.NoError(t, err)
	closeWith(t, sandbox)
	addAt(t, sandbox, "handler", "/", importing)
	loaded := load(t, sandbox)
	assert.Equal(t, "new.js", importOf(t, loaded, "./new.js"))
	assert.Contains(t, importOf(t, loaded, "./old.js"), "Error resolving")
}

func TestNoModuleLoader(t *testing.T) {
	sandbox := newSandbox(t)
	addAt(t, sandbox, "handler", "/", importing)
	assert.Equal(t, "ReferenceError: Error resolving module './x.js' from '/handler.js'", importOf(t, load(t, sandbox), "./x.js"))

	proto, err := hyperlight.New()
	require.NoError(t, err)
	closeWith(t, proto)
	err = proto.SetModuleLoader(nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	assert.EqualError(t, err, "hyperlight: SetModuleLoader: fsys is nil")
	assert.Equal(t, hyperlight.StatusReady, proto.Status())
}

// Sandboxes that share a file system use it at the same time.
func TestModulesOfManySandboxes(t *testing.T) {
	tree := files(isItself("x.js", "lib/y.js"))
	var wait sync.WaitGroup
	for range 4 {
		loaded := importer(t, tree)
		wait.Go(func() {
			for _, name := range []string{"./x.js", "./lib/y.js", "./none.js"} {
				answer, err := loaded.HandleEvent(t.Context(), "handler", fmt.Appendf(nil, "%q", name))
				assert.NoError(t, err)
				assert.NotEmpty(t, answer)
			}
		})
	}
	wait.Wait()
}

// Upstream parses package.json by recursion: one like this would end the process.
func TestLoaderRefusesDeepManifests(t *testing.T) {
	const depth = 1_500_000
	manifest := `{"exports":` + strings.Repeat("[", depth) + `"./x.js"` + strings.Repeat("]", depth) + `}`
	sandbox := newImporter(t, files(map[string]string{
		"node_modules/p/package.json": manifest,
		"node_modules/p/x.js":         "export default 1;",
	}))
	addAt(t, sandbox, "handler", "/", `async function handler() {
		return import("p").then(() => "found", e => e.message);
	}`)
	assert.Contains(t, result(t, load(t, sandbox), "handler", "{}"), "Error resolving module 'p'")
}
