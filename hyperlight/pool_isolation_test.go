package hyperlight_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// victim runs the code that an event brings, and can describe everything that code can reach: all objects from the
// global one on, with their properties, prototypes and flags, and the state of its module.
const victim = `
	export let state = { words: ["clean"], count: 0 };
	const moduleState = state;
	let generator = (function* () { let n = 0; while (true) yield n++; })();

	function describe() {
		const { getPrototypeOf, getOwnPropertyDescriptor, isFrozen, isSealed, isExtensible } = Object;
		const ownKeys = Reflect.ownKeys;
		const seen = new Map(), lines = [];
		const name = v => {
			if (typeof v === "symbol") return v.toString();
			if (v === null || typeof v !== "object" && typeof v !== "function") return typeof v + ":" + String(v);
			if (!seen.has(v)) { seen.set(v, seen.size); todo.push(v); }
			return "#" + seen.get(v);
		};
		const todo = [];
		name(globalThis); name(state); name(moduleState); name(generator);
		while (todo.length > 0) {
			const v = todo.shift();
			const properties = ownKeys(v).map(key => {
				const d = getOwnPropertyDescriptor(v, key);
				const flags = (d.writable ? "w" : "") + (d.enumerable ? "e" : "") + (d.configurable ? "c" : "");
				return String(key) + "(" + flags + ")=" + ("value" in d ? name(d.value) : name(d.get) + "/" + name(d.set));
			});
			lines.push(name(v) + (typeof v === "function" ? " " + Function.prototype.toString.call(v) : "")
				+ " " + name(getPrototypeOf(v)) + [isFrozen(v), isSealed(v), isExtensible(v)] + " " + properties.join());
		}
		return lines.join("\n");
	}

	export async function handler(event) {
		if (event.run) {
			const f = new Function("state", "generator", "return (async () => {" + event.run + "})();");
			await f(state, generator);
			if (event.run.includes("CLEAR")) state = { words: [], count: -1 };
			return null;
		}
		const works = [
			JSON.stringify({ a: [1, { b: 2 }] }), [3, 1, 2].sort().join(), "a-b".split("-").length,
			await Promise.resolve(5).then(x => x + 1), Math.max(1, 2), [1, 2, 3].map(x => 2 * x).concat([7]).join(),
			({}).isAdmin, [].isAdmin, "".isAdmin, (() => 0).isAdmin, Object.keys({ a: 1 }).length,
			generator.next().value,
		];
		return { works, everything: describe() };
	}`

// attacks change what the next user of the same guest would notice.
var attacks = map[string]string{
	"a global":                  `globalThis.secret = 42;`,
	"a deleted global":          `delete globalThis.Map;`,
	"a global that is replaced": `globalThis.Math = { max: () => "hacked" };`,
	"state of the module":       `state.words.push("secret"); state.count++;`,
	"a binding of the module":   `/* CLEAR */`,
	"a generator":               `generator.next(); generator.next();`,
	"Object.prototype":          `Object.prototype.isAdmin = true;`,
	"Object.prototype, hidden":  `Object.defineProperty(Object.prototype, "isAdmin", { get() { return "yes"; }, enumerable: false });`,
	"Object.prototype, setter":  `Object.defineProperty(Object.prototype, "a", { set(v) { globalThis.stolen = v; }, configurable: true });`,
	"Array.prototype":           `Array.prototype.isAdmin = true;`,
	"Array.prototype.map":       `const map = Array.prototype.map; Array.prototype.map = function (f) { globalThis.stolen = this; return map.call(this, f); };`,
	"Array.prototype.sort":      `Array.prototype.sort = function () { return this; };`,
	"String.prototype":          `String.prototype.split = () => [1, 2, 3];`,
	"Function.prototype.call":   `Function.prototype.call = function () { return "hacked"; };`,
	"Function.prototype.apply":  `Function.prototype.apply = null;`,
	"JSON":                      `JSON.stringify = () => '"hacked"';`,
	"JSON.parse":                `JSON.parse = () => ({ hacked: true });`,
	"toJSON":                    `Object.prototype.toJSON = function () { return { hacked: true }; };`,
	"what console inherits":     `Object.getPrototypeOf(console).trace = () => "hacked";`, // itself it is frozen
	"Promise.prototype.then":    `const then = Promise.prototype.then; Promise.prototype.then = function (a, b) { globalThis.stolen = a; return then.call(this, a, b); };`,
	"Promise":                   `globalThis.Promise = class extends Promise { static resolve() { return "hacked"; } };`,
	"Symbol.species":            `Object.defineProperty(Array, Symbol.species, { value: class Stolen extends Array {} });`,
	"Symbol.iterator":           `Array.prototype[Symbol.iterator] = function* () { yield "hacked"; };`,
	"Symbol.toPrimitive":        `Object.prototype[Symbol.toPrimitive] = () => "hacked";`,
	"a frozen builtin":          `Object.freeze(Array.prototype); Object.preventExtensions(globalThis);`,
	"a prototype that changed":  `Object.setPrototypeOf(Array.prototype, { isAdmin: "inherited" });`,
	"a later job":               `Promise.resolve().then(() => 0).then(() => 0).then(() => { globalThis.late = true; });`,
	"a promise that waits":      `globalThis.resolveLater = null; new Promise(r => { globalThis.resolveLater = r; }).then(() => { state.words.push("late"); });`,
	"Date and Math":             `Date.now = () => 0; Math.random = () => 4;`,
	"String":                    `String.fromCharCode = () => "hacked";`,
	"getters on the global":     `Object.defineProperty(globalThis, "handler", { get() { return "hacked"; } });`,
	"regular expressions":       `RegExp.prototype.exec = () => null;`,
	"errors":                    `Error.prototype.toString = () => "hacked"; Error.prepareStackTrace = () => "hacked";`,
	"a registered symbol":       `globalThis[Symbol.for("secret")] = 1;`,
	"typed arrays":              `Uint8Array.prototype.fill = null; Object.getPrototypeOf(Uint8Array.prototype).isAdmin = true;`,
	"much memory":               `state.words.push("x".repeat(100000));`,
}

func attack(code string) []byte {
	event, _ := json.Marshal(map[string]string{"run": code})
	return event
}

// look says all that can be noticed in a guest.
func look(t *testing.T, use func(event []byte) ([]byte, error)) string {
	t.Helper()
	result, err := use([]byte(`{}`))
	require.NoError(t, err)
	return string(result)
}

// Nothing that one request does to a guest is seen by the next. That each attack would be seen if the guest were not
// restored is tested in the same breath.
func TestRestoredGuestsAreIsolated(t *testing.T) {
	pool := newPool(t, isolating(victim), hyperlight.PoolSize(1))
	ctx := t.Context()
	use := func(event []byte) ([]byte, error) { return pool.HandleEvent(ctx, "handler", event) }
	clean := look(t, use)
	require.Greater(t, len(clean), 20_000)
	_, err := use(attack(";"))
	require.NoError(t, err)
	require.Equal(t, clean, look(t, use))
	for name, code := range attacks {
		t.Run(name, func(t *testing.T) {
			lease := acquire(t, pool)
			_, _ = lease.HandleEvent(ctx, "handler", attack(code)) // It may well harm itself.
			after, err := lease.HandleEvent(ctx, "handler", []byte(`{}`))
			assert.True(t, err != nil || string(after) != clean, "the attack changes nothing, and so proves nothing")
			lease.Release()
			assert.Equal(t, clean, look(t, use))
		})
	}
	assert.Zero(t, pool.Stats().Replaced)
	assert.EqualValues(t, 1, pool.Stats().Size)
}

// isolating describes sandboxes that have room for such a handler and its results.
func isolating(source string) hyperlight.Template {
	template := small(source)
	template.Options = []hyperlight.Option{hyperlight.WithHeapSize(4 << 20), hyperlight.WithScratchSize(12 << 20)}
	return template
}

// No tenant sees what another one did, whatever the policy.
func TestTenantsAreIsolated(t *testing.T) {
	source := func(_ context.Context, key string, s *hyperlight.JSSandbox) error {
		return s.AddHandler("handler", hyperlight.Script(victim+"\n// of "+key))
	}
	for _, policy := range []hyperlight.RestorePolicy{hyperlight.RestoreAfterCall, hyperlight.RestoreAfterError, hyperlight.KeepState} {
		t.Run(policy.String(), func(t *testing.T) {
			pool := newPool(t, isolating(victim), hyperlight.PoolSize(1), hyperlight.PoolPolicy(policy),
				hyperlight.PoolTenants(source, hyperlight.TenantLimits{}))
			tenant := func(key string) func([]byte) ([]byte, error) {
				return func(event []byte) ([]byte, error) {
					return pool.HandleTenantEvent(t.Context(), key, "handler", event)
				}
			}
			fresh := look(t, tenant("good"))
			for name, code := range attacks {
				if policy == hyperlight.KeepState || strings.HasPrefix(name, "a ") {
					_, _ = tenant("bad")(attack(code))
					assert.Equal(t, fresh, look(t, tenant("good")), name)
				}
			}
			// Callers without a tenant are one, too.
			_, _ = tenant("bad")(attack(attacks["Object.prototype"]))
			result := look(t, func(event []byte) ([]byte, error) { return pool.HandleEvent(t.Context(), "handler", event) })
			assert.NotContains(t, result, "isAdmin(")
		})
	}
}

// A guest that is stopped in the middle of a line leaves the rest in its buffer, and one that succeeds leaves nothing.
func TestPrintedOutputIsIsolated(t *testing.T) {
	pool := newPool(t, isolating(`
		import { print } from "io";
		export function handler(event) {
			print(event.text);
			if (event.abort) { function f(n) { return f(n + 1) + 1; } return f(0); }
			if (event.fail) throw new Error("told to");
			return 1;
		}`), hyperlight.PoolSize(1))
	for _, event := range []string{`{"text":"secret"}`, `{"text":"secret","fail":true}`, `{"text":"secret","abort":true}`} {
		_, err := pool.HandleEvent(t.Context(), "handler", []byte(event))
		assert.Equal(t, event == `{"text":"secret"}`, err == nil, "%v", err)
		var printed strings.Builder
		poolCall(t, pool, `{"text":"mine\n"}`, hyperlight.WithPrint(&printed))
		assert.Equal(t, "mine\n", printed.String(), event)
	}
}

// Documented, since it surprises: the generator's state is in the guest's memory, so everybody gets the same numbers.
func TestMathRandomRepeatsInAPool(t *testing.T) {
	const source = `function handler() { return [Math.random(), Math.random()]; }`
	pool := newPool(t, small(source), hyperlight.PoolSize(2))
	first := poolCall(t, pool, "null")
	for range 4 {
		assert.Equal(t, first, poolCall(t, pool, "null"))
	}
	pool = newPool(t, small(source), hyperlight.PoolSize(1), hyperlight.PoolPolicy(hyperlight.KeepState))
	assert.NotEqual(t, poolCall(t, pool, "null"), poolCall(t, pool, "null"))
}
