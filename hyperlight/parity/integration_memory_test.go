package parity_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestIntegrationMemory is about memory in tests/integration_test.rs of hyperlight-host: what its test guest
// allocates with malloc is a typed array here, and its stack is that of the JavaScript engine.
func TestIntegrationMemory(t *testing.T) {
	const allocates = `function handler(size) { return new Uint8Array(size).length; }`
	const recurses = `
		function recurse(depth) { return depth == 0 ? 0 : 1 + recurse(depth - 1); }
		function handler(depth) { return recurse(depth); }`
	// aborts asserts that the guest aborts for want of memory, with upstream's code.
	aborts := func(t *testing.T, source, event string, opts ...hyperlight.Option) {
		t.Helper()
		loaded := loadHandler(t, source, opts...)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
		require.ErrorIs(t, err, hyperlight.ErrOutOfMemory)
		const mallocFailed = 13
		assert.EqualValues(t, mallocFailed, asError(t, err).GuestCode)
		assert.Equal(t, hyperlight.StatusPoisoned, loaded.Status())
	}

	t.Run("guest_malloc", func(t *testing.T) {
		assert.Equal(t, "2000", handle(t, loadHandler(t, allocates), "handler", `2000`))
	})
	t.Run("guest_allocate_vec", func(t *testing.T) {
		loaded := loadHandler(t, `function handler(size) { return new Array(size).fill(0).length; }`)
		assert.Equal(t, "2000", handle(t, loaded, "handler", `2000`))
	})
	t.Run("guest_malloc_abort", func(t *testing.T) {
		aborts(t, allocates, `20000000`)
	})
	t.Run("recursive_stack_allocate", func(t *testing.T) {
		assert.Equal(t, "1", handle(t, loadHandler(t, recurses), "handler", `1`))
	})
	t.Run("recursive_stack_allocate_overflow", func(t *testing.T) {
		aborts(t, recurses, `10000000`)
	})
	t.Run("guard_page_check_2", func(t *testing.T) {
		aborts(t, `function handler() { return handler() + 1; }`, `null`)
	})
}

// TestIntegrationHostFunctions is about what host functions return in tests/integration_test.rs of
// hyperlight-host.
func TestIntegrationHostFunctions(t *testing.T) {
	loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
		register(t, proto, "host", "HostBool", func(a, b int32) bool { return a+b > 10 })
		register(t, proto, "host", "HostAddFloat", func(a, b float32) float32 { return a + b })
		register(t, proto, "host", "HostAddDouble", func(a, b float64) float64 { return a + b })
		register(t, proto, "host", "HostAddStrings", func(a string) string { return a + ", string added by Host Function" })
	}, `
		import * as host from "host";
		function handler({ name, args }) { return host[name](...args); }`)
	call := func(t *testing.T, name, args string) string {
		t.Helper()
		return handle(t, loaded, "handler", fmt.Sprintf(`{"name":%q,"args":%s}`, name, args))
	}

	t.Run("test_if_guest_is_able_to_get_bool_return_values_from_host", func(t *testing.T) {
		for i := 1; i < 10; i++ {
			assert.Equal(t, fmt.Sprint(i >= 6), call(t, "HostBool", fmt.Sprintf("[%d,%d]", i, i)))
		}
	})
	t.Run("test_if_guest_is_able_to_get_float_return_values_from_host", func(t *testing.T) {
		assert.Equal(t, "2.68", call(t, "HostAddFloat", `[1.34,1.34]`))
	})
	t.Run("test_if_guest_is_able_to_get_double_return_values_from_host", func(t *testing.T) {
		assert.Equal(t, "2.68", call(t, "HostAddDouble", `[1.34,1.34]`))
	})
	t.Run("test_if_guest_is_able_to_get_string_return_values_from_host", func(t *testing.T) {
		assert.Equal(t, `"Guest Function, string added by Host Function"`, call(t, "HostAddStrings", `["Guest Function"]`))
	})
}
