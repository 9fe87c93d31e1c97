package parity_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestHostFn is the unit tests in upstream's src/sandbox/host_fn.rs, with the guest for a caller.
func TestHostFn(t *testing.T) {
	add := func(proto *hyperlight.ProtoJSSandbox) {
		register(t, proto, "host", "add", func(a, b int32) int32 { return a + b })
	}

	t.Run("call_typed_no_binaries", func(t *testing.T) {
		loaded := loadWith(t, add, `
			import * as host from "host";
			function handler() { return host.add(3, 4); }`)
		assert.Equal(t, `7`, handle(t, loaded, "handler", `{}`))
	})

	// Typed functions take Uint8Arrays here, but not for numbers; upstream's text speaks of none at all.
	t.Run("call_typed_rejects_binary_args", func(t *testing.T) {
		loaded := loadWith(t, add, `
			import * as host from "host";
			function handler() { return host.add(1, new Uint8Array([65, 66, 67])); }`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Contains(t, err.Error(), "argument 2 (int32): got Uint8Array")
	})

	// The guest knows all names, so it does not even ask the host.
	t.Run("call_not_found", func(t *testing.T) {
		loaded := loadWith(t, add, `
			import * as host from "host";
			function handler() { return host.nope(); }`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Equal(t, "not a function", asError(t, err).Exception.Message)
	})

	t.Run("js_bridge_passes_through_bin_key_without_sidecar", func(t *testing.T) {
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			require.NoError(t, proto.RegisterRaw("host", "echo",
				func(_ context.Context, args hyperlight.RawValue) (hyperlight.RawValue, error) {
					assert.Equal(t, `[{"__bin__":0}]`, string(args.JSON))
					assert.Empty(t, args.Blobs)
					return args, nil
				}))
		}, `
			import * as host from "host";
			function handler() { return host.echo({ __bin__: 0 }); }`)
		assert.Equal(t, `[{"__bin__":0}]`, handle(t, loaded, "handler", `{}`))
	})
}

// TestReturns is what of the unit tests of upstream's hyperlight-js-common a guest can show: how
// results of host functions are encoded. The others are tests of package hyperlight.
func TestReturns(t *testing.T) {
	const inspect = `
		import * as host from "host";
		function handler() {
			const value = host.get();
			return value.data instanceof Uint8Array ? { text: String.fromCharCode(...value.data) }
				: value instanceof Uint8Array ? { bytes: Array.from(value) } : value;
		}`
	for _, test := range []struct {
		name, result string
		value        hyperlight.RawValue
	}{
		{"test_return_json", `{"result":42}`, hyperlight.RawValue{JSON: []byte(`{"result":42}`)}},
		{"test_return_binary", `{"bytes":[0,1,2,255]}`, hyperlight.RawBytes([]byte("\x00\x01\x02\xff"))},
		{"test_return_json_with_binaries", `{"text":"hello"}`, hyperlight.RawValue{
			JSON: []byte(`{"data":{"__bin__":0}}`), Blobs: [][]byte{[]byte("hello")},
		}},
		{"test_return_json_with_binaries_empty_sidecar", `{"result":42}`, hyperlight.RawValue{
			JSON: []byte(`{"result":42}`), Blobs: [][]byte{},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			loaded := loadWith(t, rawResult(t, "get", test.value), inspect)
			assert.Equal(t, test.result, handle(t, loaded, "handler", `{}`))
		})
	}
}
