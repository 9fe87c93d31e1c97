package hyperlight_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// ecmaScript are the globals that any JavaScript engine has.
const ecmaScript = `Object Function Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError
SuppressedError Iterator Array parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI
encodeURIComponent escape unescape Infinity NaN undefined eval Number Boolean String Math Reflect Symbol
DisposableStack AsyncDisposableStack globalThis BigInt Date RegExp JSON Proxy Map Set WeakMap WeakSet ArrayBuffer
SharedArrayBuffer Uint8ClampedArray Int8Array Uint8Array Int16Array Uint16Array Int32Array Uint32Array BigInt64Array
BigUint64Array Float16Array Float32Array Float64Array DataView Promise WeakRef FinalizationRegistry`

// What a guest has beside the language: nothing that reaches a file, a socket, a process, a thread or a timer.
func TestGuestsReachNothing(t *testing.T) {
	loaded := loadHandler(t, `function handler() { return Object.getOwnPropertyNames(globalThis).join(" "); }`)
	globals := strings.Fields(strings.Trim(call(t, loaded, `{}`), `"`))
	globals = slices.DeleteFunc(globals, func(name string) bool {
		return slices.Contains(strings.Fields(ecmaScript), name)
	})
	assert.ElementsMatch(t, []string{
		"InternalError", "queueMicrotask", "DOMException", "btoa", "atob", "performance", "print", "console", "require",
	}, globals)

	loaded = loadHandler(t, `
		async function handler(names) {
			const found = [];
			for (const name of names) await import(name).then(() => found.push(name), () => {});
			return found;
		}`)
	assert.Equal(t, `["io","crypto","console","require"]`, call(t, loaded, `[
		"io", "crypto", "console", "require",
		"fs", "node:fs", "os", "qjs:os", "std", "qjs:std", "net", "http", "child_process", "worker_threads", "bjson",
		"./handler", "/etc/passwd", "file:///etc/passwd", "https://example.com/a.js", "host:", "user:"]`))
}

const tenant = `
let seen = [];
function handler({ secret }) {
	const found = [seen.length, globalThis.secret, {}.secret, [1, 2].map((x) => x), JSON.stringify({ a: 1 }),
		console.secret, Object.getOwnPropertyNames(globalThis).includes("secret"), handler.secret, Math.max(1, 2)];
	if (secret) {
		seen.push(secret);
		globalThis.secret = secret;
		Object.prototype.secret = secret;
		Array.prototype.map = () => secret;
		handler.secret = secret;
		Math.max = () => secret;
		print(secret);
	}
	return found;
}`

// Nothing that one caller left in a guest is there for the next, once a snapshot is restored between them.
func TestRestoreLeavesNothingBehind(t *testing.T) {
	var printed strings.Builder
	loaded := loadHandler(t, tenant, hyperlight.WithPrint(&printed))
	clean := takeSnapshot(t, loaded)
	nothing := call(t, loaded, `{}`)
	restore(t, loaded, clean)

	assert.Equal(t, nothing, call(t, loaded, `{"secret":"s3cret"}`))
	assert.Equal(t, "s3cret", printed.String())
	assert.Equal(t, 6, strings.Count(call(t, loaded, `{}`), "s3cret"), "without a restore it is all there")

	restore(t, loaded, clean)
	printed.Reset()
	assert.Equal(t, nothing, call(t, loaded, `{}`))
	assert.Empty(t, printed.String())
}

// It is the processor that is stopped, and not the interpreter, so it does not matter where a guest spends its time.
func TestLimitsStopTheEngineItself(t *testing.T) {
	proto := newProto(t)
	require.NoError(t, proto.Register("host", "nothing", func() {}))
	loaded := loadProto(t, proto, `
		import * as host from "host";
		const work = {
			regexp: () => /(a+)+$/.test("a".repeat(100) + "b"),
			search: () => new Array(2 ** 32 - 1).indexOf(1),
			caught: () => { for (;;) try { for (;;) {} } catch {} },
			crossing: () => { for (;;) try { host.nothing(); } catch {} },
		};
		function handler(what) { work[what](); return what; }`)
	clean := takeSnapshot(t, loaded)
	for _, event := range []string{`"regexp"`, `"search"`, `"caught"`, `"crossing"`} {
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(event),
			hyperlight.WithMonitors(hyperlight.WallClock(50*time.Millisecond)))
		cancelled(t, loaded, err, "wall-clock")
		restore(t, loaded, clean)
	}
}
