package parity_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestNativeModules is upstream's tests/native_modules.rs, in both of its crates: hyperlight-js, and
// hyperlight-js-runtime, whose tests run without a micro-VM there and with one here. They need the
// runtime in testdata/extended-runtime: build.sh runs this test with a library that embeds it, whose
// description it gives in HYPERLIGHT_TEST_RUNTIME, and with one that embeds upstream's own.
func TestNativeModules(t *testing.T) {
	info, err := hyperlight.Library()
	require.NoError(t, err)
	if runtime, ok := os.LookupEnv("HYPERLIGHT_TEST_RUNTIME"); ok {
		require.Equal(t, runtime, info.Runtime)
		testExtendedRuntime(t)
		return
	}
	if strings.HasPrefix(info.Runtime, "custom, ") {
		return // Whatever it can do: it is somebody's own.
	}
	sandbox := newSandbox(t)
	addHandler(t, sandbox, "handler", `
		import { add } from "math";
		export function handler() {}`)
	assert.Equal(t, "Error resolving module 'math' from './handler.js'", loadFails(t, sandbox))
}

// nativeModules are upstream's tests that load a handler, call it, and look at its result.
var nativeModules = map[string]struct{ source, event, result string }{
	// hyperlight-js
	"custom_native_module_works_in_vm": {
		`import { add, multiply } from "math";
		export function handler(event) {
			return { sum: add(event.a, event.b), product: multiply(event.a, event.b) };
		}`, `{"a":6,"b":7}`, `{"sum":13,"product":42}`,
	},
	"builtin_modules_work_with_custom_native_module": {
		`import { add } from "math";
		import { createHmac } from "crypto";
		export function handler(event) {
			const sum = add(event.a, event.b);
			const hmac = createHmac("sha256", "key");
			hmac.update("data");
			const digest = hmac.digest("hex");
			return { sum, digestLength: digest.length };
		}`, `{"a":10,"b":32}`, `{"sum":42,"digestLength":64}`,
	},

	// hyperlight-js-runtime
	"loader_resolves_all_builtin_modules": {
		`import "io";
		import "crypto";
		import "console";
		import "require";
		export function handler() { return true; }`, `{}`, `true`,
	},
	"loader_loads_all_builtin_modules": {
		`import * as io from "io";
		import * as crypto from "crypto";
		import * as console from "console";
		import * as require from "require";
		export function handler() {
			return [io, crypto, console, require].map(module => Object.keys(module).length > 0);
		}`, `{}`, `[true,true,true,true]`,
	},
	"registered_custom_module_resolves_and_loads": {
		`import * as greeting from "greeting";
		export function handler() { return Object.keys(greeting); }`, `{}`, `["greet"]`,
	},
	"builtins_still_work_after_custom_registration": {
		`import { greet } from "greeting";
		import { print, flush } from "io";
		import { Hmac, createHmac } from "crypto";
		import { log } from "console";
		import { require } from "require";
		export function handler() {
			return [greet, print, flush, Hmac, createHmac, log, require].map(f => typeof f);
		}`, `{}`, `["function","function","function","function","function","function","function"]`,
	},
	"macro_generated_init_registers_modules": {
		`import * as math from "math";
		export function handler() { return Object.keys(math); }`, `{}`, `["add","multiply"]`,
	},
	"e2e_handler_imports_custom_native_module": {
		`import { greet } from "greeting";
		export function handler(event) { return greet(); }`, `{}`, `"hello from test module"`,
	},
	"e2e_handler_uses_builtin_and_custom_modules_together": {
		`import { greet } from "greeting";
		import { createHmac } from "crypto";
		export function handler(event) {
			const greeting = greet();
			const hmac = createHmac("sha256", "key");
			hmac.update("data");
			const digest = hmac.digest("hex");
			return { greeting, hasDigest: digest.length > 0 };
		}`, `{}`, `{"greeting":"hello from test module","hasDigest":true}`,
	},
	"full_pipeline_custom_native_module": {
		`import { add, multiply } from "math";
		export function handler(event) {
			return { sum: add(event.a, event.b), product: multiply(event.a, event.b) };
		}`, `{"a":6,"b":7}`, `{"sum":13,"product":42}`,
	},
	"full_pipeline_custom_and_builtin_modules_together": {
		`import { add } from "math";
		import { createHmac } from "crypto";
		export function handler(event) {
			const sum = add(event.a, event.b);
			const hmac = createHmac("sha256", "key");
			hmac.update("data");
			return { sum, digestLength: hmac.digest("hex").length };
		}`, `{"a":10,"b":32}`, `{"sum":42,"digestLength":64}`,
	},
	"e2e_custom_globals_are_available_in_handlers": {
		`export function handler(event) { return TEST_CUSTOM_GLOBAL; }`, `{}`, `99`,
	},
	"full_pipeline_custom_globals_available": {
		`function handler(event) { return CUSTOM_GLOBAL_TEST; }`, `{}`, `42`,
	},
	"full_pipeline_custom_globals_with_modules": {
		`import { add } from "math";
		function handler(event) { return add(CUSTOM_GLOBAL_TEST, event.x); }`, `{"x":8}`, `50`,
	},
	"e2e_console_is_extensible_during_custom_globals": {
		`export function handler() { return TEST_CUSTOM_GLOBAL; }`, `{}`, `99`,
	},
	"e2e_console_frozen_after_init": {
		`export function handler() {
			try { console.custom = function() {}; return "not_frozen"; } catch (e) { return "frozen"; }
		}`, `{}`, `"frozen"`,
	},
	"e2e_print_frozen_after_init": {
		`export function handler() {
			try { globalThis.print = function() {}; return "not_frozen"; } catch (e) { return "frozen"; }
		}`, `{}`, `"frozen"`,
	},
}

// printingModules are those whose output matters too.
var printingModules = map[string]struct{ source, event, printed, result string }{
	// hyperlight-js
	"console_log_works_with_custom_native_module": {
		`import { multiply } from "math";
		export function handler(event) {
			const result = multiply(event.x, event.y);
			console.log("computed: " + result);
			return result;
		}`, `{"x":6,"y":9}`, "computed: 54\n", `54`,
	},

	// hyperlight-js-runtime
	"full_pipeline_console_log_with_custom_modules": {
		`import { multiply } from "math";
		function handler(event) {
			const result = multiply(event.x, event.y);
			console.log("computed: " + result);
			return result;
		}`, `{"x":6,"y":9}`, "computed: 54\n", `54`,
	},
	"e2e_console_warn_works_via_custom_globals": {
		`export function handler() {
			console.warn("warn test");
			console.error("error test");
			return "ok";
		}`, `{}`, "warn test\nerror test\n", `"ok"`,
	},
	"e2e_custom_globals_coexist_with_builtins": {
		`export function handler(event) {
			console.log("custom global value: " + TEST_CUSTOM_GLOBAL);
			return TEST_CUSTOM_GLOBAL;
		}`, `{}`, "custom global value: 99\n", `99`,
	},
	"e2e_console_log_still_works_after_freeze": {
		`export function handler() { console.log("still works"); return "ok"; }`, `{}`, "still works\n", `"ok"`,
	},
}

func testExtendedRuntime(t *testing.T) {
	for name, test := range nativeModules {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.result, handle(t, loadHandler(t, test.source), "handler", test.event))
		})
	}
	for name, test := range printingModules {
		t.Run(name, func(t *testing.T) {
			var printed bytes.Buffer
			loaded := loadHandler(t, test.source, hyperlight.WithPrint(&printed))
			assert.Equal(t, test.result, handle(t, loaded, "handler", test.event))
			assert.Equal(t, test.printed, printed.String())
		})
	}
	t.Run("loader_rejects_unknown_modules", func(t *testing.T) {
		sandbox := newSandbox(t)
		addHandler(t, sandbox, "handler", `
			import "nonexistent";
			export function handler() {}`)
		assert.Equal(t, "Error resolving module 'nonexistent' from './handler.js'", loadFails(t, sandbox))
	})
	t.Run("e2e_default_runtime_builtins_work", func(t *testing.T) {
		loaded := loadHandler(t, `import { createHmac } from "crypto";
			export function handler(event) {
				const hmac = createHmac("sha256", "secret");
				hmac.update(event.data);
				return hmac.digest("hex");
			}`)
		assert.Regexp(t, `^"[0-9a-f]{64}"$`, handle(t, loaded, "handler", `{"data":"test"}`))
	})
}
