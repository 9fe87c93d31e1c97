package parity_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestJSHostAPISandbox is tests/sandbox.test.js of upstream's Node.js addon, without the cases about interrupt
// handles and call statistics. A subtest is named after the case's describe and it.
//
// The addon has a builder and dispose; here New takes options, and Close closes. What is consumed by a
// transition answers ErrConsumed, and what is closed ErrClosed, where the addon says ERR_CONSUMED in both
// cases; and a status never throws, but says consumed or closed.
func TestJSHostAPISandbox(t *testing.T) {
	t.Run("SandboxBuilder", testJSHostAPIBuilder)
	t.Run("ProtoJSSandbox", testJSHostAPIProto)
	t.Run("JSSandbox", testJSHostAPIJSSandbox)
	t.Run("LoadedJSSandbox", testJSHostAPILoaded)
	t.Run("Calculator example", testJSHostAPICalculator)
	t.Run("JSSandbox.dispose()", func(t *testing.T) {
		sandbox := newSandbox(t)
		require.NoError(t, sandbox.Close())
		t.Run("should make subsequent method calls throw ERR_CONSUMED", func(t *testing.T) {
			err := sandbox.AddHandler("h", hyperlight.Script("function handler() {}"))
			assert.ErrorIs(t, err, hyperlight.ErrClosed)
		})
		t.Run("should be a no-op when called twice", func(t *testing.T) { assert.NoError(t, sandbox.Close()) })
		t.Run("should make poisoned getter throw ERR_CONSUMED", func(t *testing.T) {
			assert.Equal(t, hyperlight.StatusClosed, sandbox.Status())
		})
	})
	t.Run("LoadedJSSandbox.dispose()", func(t *testing.T) {
		loaded := loadHandler(t, `function handler() { return { ok: true }; }`)
		require.NoError(t, loaded.Close())
		t.Run("should make subsequent callHandler reject with ERR_CONSUMED", func(t *testing.T) {
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
			assert.ErrorIs(t, err, hyperlight.ErrClosed)
		})
		t.Run("should be a no-op when called twice", func(t *testing.T) { assert.NoError(t, loaded.Close()) })
		t.Run("should make poisoned getter throw ERR_CONSUMED", func(t *testing.T) {
			assert.Equal(t, hyperlight.StatusClosed, loaded.Status())
		})
		t.Run("should make interruptHandle getter throw ERR_CONSUMED", func(t *testing.T) {
			_, err := loaded.InterruptHandle()
			assert.ErrorIs(t, err, hyperlight.ErrClosed)
		})
		t.Run("should make lastCallStats getter throw ERR_CONSUMED", func(t *testing.T) {
			_, ok := loaded.LastCallStats()
			assert.False(t, ok)
		})
	})
	t.Run("LoadedJSSandbox.unload()", func(t *testing.T) {
		loaded := loadHandler(t, `function handler() { return {}; }`)
		handle(t, loaded, "handler", `{}`)
		unload(t, loaded)
		t.Run("should make poisoned getter throw ERR_CONSUMED after unload", func(t *testing.T) {
			assert.Equal(t, hyperlight.StatusConsumed, loaded.Status())
		})
		t.Run("should make interruptHandle getter throw ERR_CONSUMED after unload", func(t *testing.T) {
			_, err := loaded.InterruptHandle()
			assert.ErrorIs(t, err, hyperlight.ErrConsumed)
		})
		t.Run("should make lastCallStats getter throw ERR_CONSUMED after unload", func(t *testing.T) {
			_, ok := loaded.LastCallStats()
			assert.False(t, ok)
		})
	})
	t.Run("setHostPrintFn", testJSHostAPIPrint)
}

func newProto(t *testing.T, opts ...hyperlight.Option) *hyperlight.ProtoJSSandbox {
	t.Helper()
	proto, err := hyperlight.New(opts...)
	require.NoError(t, err)
	closeWith(t, proto)
	return proto
}

func testJSHostAPIBuilder(t *testing.T) {
	t.Run("should create a builder with defaults", func(t *testing.T) {
		assert.Equal(t, hyperlight.DefaultHeapSize, newProto(t).Config().HeapSize)
	})
	t.Run("should support method chaining on setters", func(t *testing.T) {
		assert.Equal(t, 8<<20, newProto(t, hyperlight.WithHeapSize(8<<20)).Config().HeapSize)
	})
	// The addon's case sets buffers of 4096 bytes, which upstream raises to 8192; here that is an error.
	t.Run("should chain multiple setters", func(t *testing.T) {
		config := newProto(t, hyperlight.WithHeapSize(8<<20), hyperlight.WithScratchSize(1<<20),
			hyperlight.WithInputBufferSize(8192), hyperlight.WithOutputBufferSize(8192)).Config()
		assert.Equal(t, []int{8 << 20, 1 << 20, 8192, 8192},
			[]int{config.HeapSize, config.ScratchSize, config.InputBufferSize, config.OutputBufferSize})
		_, err := hyperlight.New(hyperlight.WithInputBufferSize(4096))
		assert.ErrorIs(t, err, hyperlight.ErrMemorySize)
	})
	t.Run("should build a proto sandbox", func(t *testing.T) {
		assert.Equal(t, hyperlight.StatusReady, newProto(t).Status())
	})
	for name, option := range map[string]hyperlight.Option{
		"should reject zero heap size":          hyperlight.WithHeapSize(0),
		"should reject zero scratch size":       hyperlight.WithScratchSize(0),
		"should reject zero input buffer size":  hyperlight.WithInputBufferSize(0),
		"should reject zero output buffer size": hyperlight.WithOutputBufferSize(0),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hyperlight.New(option)
			assert.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
		})
	}
}

func testJSHostAPIProto(t *testing.T) {
	loadRuntime := func(t *testing.T, proto *hyperlight.ProtoJSSandbox) {
		t.Helper()
		sandbox, err := proto.LoadRuntime(t.Context())
		require.NoError(t, err)
		closeWith(t, sandbox)
	}
	t.Run("should load the JavaScript runtime", func(t *testing.T) { loadRuntime(t, newProto(t)) })
	t.Run("should throw CONSUMED on double loadRuntime()", func(t *testing.T) {
		proto := newProto(t)
		loadRuntime(t, proto)
		_, err := proto.LoadRuntime(t.Context())
		assert.ErrorIs(t, err, hyperlight.ErrConsumed)
	})
}

func testJSHostAPIJSSandbox(t *testing.T) {
	const echo = `function handler(e) { return e; }`
	sandbox := newSandbox(t)
	t.Run("should add a handler without throwing", func(t *testing.T) { addHandler(t, sandbox, "handler", echo) })
	t.Run("should reject empty handler name on add", func(t *testing.T) {
		assert.ErrorIs(t, sandbox.AddHandler("", hyperlight.Script(echo)), hyperlight.ErrInvalidArgument)
	})
	t.Run("should remove a handler without throwing", func(t *testing.T) {
		addHandler(t, sandbox, "to be removed", echo)
		assert.NoError(t, sandbox.RemoveHandler("to be removed"))
	})
	t.Run("should reject empty handler name on remove", func(t *testing.T) {
		assert.ErrorIs(t, sandbox.RemoveHandler(""), hyperlight.ErrInvalidArgument)
	})
	t.Run("should clear handlers without throwing", func(t *testing.T) {
		addHandler(t, sandbox, "to be cleared", echo)
		assert.NoError(t, sandbox.ClearHandlers())
	})
	t.Run("should report poisoned state", func(t *testing.T) { assert.False(t, sandbox.Status().IsPoisoned()) })
	consumed := func(t *testing.T) *hyperlight.JSSandbox {
		t.Helper()
		sandbox := newSandbox(t)
		addHandler(t, sandbox, "handler", echo)
		assert.Equal(t, hyperlight.StatusReady, load(t, sandbox).Status())
		return sandbox
	}
	t.Run("should get a loaded sandbox", func(t *testing.T) { consumed(t) })
	t.Run("should throw CONSUMED on double getLoadedSandbox()", func(t *testing.T) {
		_, err := consumed(t).Load(t.Context())
		assert.ErrorIs(t, err, hyperlight.ErrConsumed)
	})
	t.Run("should throw CONSUMED on operations after getLoadedSandbox()", func(t *testing.T) {
		sandbox := consumed(t)
		assert.ErrorIs(t, sandbox.AddHandler("another", hyperlight.Script(echo)), hyperlight.ErrConsumed)
	})
}

func testJSHostAPILoaded(t *testing.T) {
	const source = `
		function handler(event) {
			event.message = 'Hello, ' + event.name + '!';
			return event;
		}`
	loaded := loadHandler(t, source)
	t.Run("should not be poisoned initially", func(t *testing.T) { assert.False(t, loaded.Status().IsPoisoned()) })
	for name, test := range map[string]struct {
		who  string
		opts []hyperlight.CallOption
	}{
		"should handle events and return correct data":             {"World", []hyperlight.CallOption{hyperlight.WithGC(false)}},
		"should handle events with default options (no third arg)": {"Default", nil},
		"should handle events with explicit gc: true":              {"GC", []hyperlight.CallOption{hyperlight.WithGC(true)}},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{"name":"`+test.who+`"}`), test.opts...)
			require.NoError(t, err)
			assert.Equal(t, `{"name":"`+test.who+`","message":"Hello, `+test.who+`!"}`, string(result))
			assert.Equal(t, hyperlight.StatusReady, loaded.Status())
		})
	}
	t.Run("should provide an interrupt handle", func(t *testing.T) {
		interrupt, err := loaded.InterruptHandle()
		require.NoError(t, err)
		assert.False(t, interrupt.Kill(), "nothing runs")
		assert.False(t, interrupt.Dropped())
	})
	t.Run("should take and restore snapshots", func(t *testing.T) {
		handle(t, loaded, "handler", `{"name":"Test"}`)
		restore(t, loaded, takeSnapshot(t, loaded))
		assert.False(t, loaded.Status().IsPoisoned())
	})
	t.Run("should reject empty handler name on callHandler", func(t *testing.T) {
		_, err := loaded.HandleEvent(t.Context(), "", []byte(`{}`), hyperlight.WithGC(false))
		assert.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	})
	t.Run("should unload back to JSSandbox", func(t *testing.T) {
		assert.Equal(t, hyperlight.StatusReady, unload(t, loadHandler(t, source)).Status())
	})
	t.Run("should throw CONSUMED on double unload()", func(t *testing.T) {
		loaded := loadHandler(t, source)
		unload(t, loaded)
		_, err := loaded.Unload(t.Context())
		assert.ErrorIs(t, err, hyperlight.ErrConsumed)
	})
	t.Run("should throw CONSUMED on callHandler after unload", func(t *testing.T) {
		loaded := loadHandler(t, source)
		unload(t, loaded)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`), hyperlight.WithGC(false))
		assert.ErrorIs(t, err, hyperlight.ErrConsumed)
	})
}

func testJSHostAPICalculator(t *testing.T) {
	loaded := loadHandler(t, `
		function handler(event) {
			const { a, b, operation } = event;
			switch (operation) {
				case 'add': event.result = a + b; break;
				case 'subtract': event.result = a - b; break;
				case 'multiply': event.result = a * b; break;
				case 'divide': event.result = b !== 0 ? a / b : 'Error: Division by zero'; break;
				default: event.result = 'Error: Unknown operation';
			}
			return event;
		}`)
	for name, test := range map[string]struct{ event, result string }{
		"should add numbers":      {`{"a":10,"b":5,"operation":"add"}`, "15"},
		"should subtract numbers": {`{"a":50,"b":30,"operation":"subtract"}`, "20"},
		"should multiply numbers": {`{"a":20,"b":4,"operation":"multiply"}`, "80"},
		"should divide numbers":   {`{"a":100,"b":25,"operation":"divide"}`, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			want := strings.TrimSuffix(test.event, "}") + `,"result":` + test.result + "}"
			assert.Equal(t, want, handle(t, loaded, "handler", test.event))
		})
	}
}

func testJSHostAPIPrint(t *testing.T) {
	const source = `
		function handler(event) {
			for (const text of event) console.log(text);
			return { survived: true };
		}`
	var printed strings.Builder
	var earlier int
	loaded := loadHandler(t, source, hyperlight.WithPrintFunc(func(string) { earlier++ }), hyperlight.WithPrint(&printed))
	t.Run("should support method chaining", func(t *testing.T) {
		assert.Equal(t, hyperlight.StatusReady, loaded.Status())
	})
	t.Run("should receive console.log output from the guest", func(t *testing.T) {
		printed.Reset()
		handle(t, loaded, "handler", `["Hello from guest!"]`)
		assert.Equal(t, "Hello from guest!\n", printed.String())
	})
	t.Run("should receive multiple console.log calls", func(t *testing.T) {
		printed.Reset()
		handle(t, loaded, "handler", `["first","second","third"]`)
		assert.Equal(t, "first\nsecond\nthird\n", printed.String())
	})
	t.Run("should use the last callback when set multiple times", func(t *testing.T) {
		printed.Reset()
		handle(t, loaded, "handler", `["which callback?"]`)
		assert.Zero(t, earlier)
		assert.Equal(t, "which callback?\n", printed.String())
	})
	t.Run("should continue guest execution when callback throws", func(t *testing.T) {
		loaded := loadHandler(t, source, hyperlight.WithPrintFunc(func(string) { panic("print callback exploded") }))
		assert.Equal(t, `{"survived":true}`, handle(t, loaded, "handler", `["this will throw in the callback"]`))
	})
}
