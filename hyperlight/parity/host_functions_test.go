package parity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestHostFunctions is upstream's tests/host_functions.rs. What is registered there with register_js is
// a raw function here.
func TestHostFunctions(t *testing.T) {
	t.Run("can_call_host_functions", func(t *testing.T) {
		loaded := loadWith(t, registerPrintAndAdd(t), `
			import * as host from "host";
			import * as utils from "utils";
			function handler(event) {
				let a = host.print("Hello, World!!");
				let b = 24;
				let c = utils.add(a, b);
				return { c };
			}`)
		assert.Equal(t, `{"c":66}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("should_fail_for_invalid_host_function", func(t *testing.T) {
		loaded := loadWith(t, registerPrintAndAdd(t), `
			import * as host from "host";
			function handler(event) {
				host.print2("Hello, World!!");
				return { };
			}`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Equal(t, "not a function", asError(t, err).Exception.Message)
	})

	t.Run("host_modules_should_contain_all_host_functions", func(t *testing.T) {
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "life", func() int32 { return 42 })
			register(t, proto, "host", "add", func(a, b int32) int32 { return a + b })
			register(t, proto, "host", "hello", func() string { return "Hello, World!" })
			register(t, proto, "host", "no-op", func() string { return "Hello, World!" })
		}, `
			import * as host from "host";
			function handler(event) {;
				return Object.keys(host);
			}`)
		var names []string
		require.NoError(t, json.Unmarshal([]byte(handle(t, loaded, "handler", `{}`)), &names))
		slices.Sort(names)
		assert.Equal(t, []string{"add", "hello", "life", "no-op"}, names)
	})

	t.Run("host_fn_call_should_fail_if_wrong_arg_types", func(t *testing.T) {
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "add", func(a, b int32) int32 { return a + b })
		}, `
			import * as host from "host";
			function handler(event) {;
				return host.add("10", "32");
			}`)
		_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Contains(t, err.Error(), "HostFunctionError")
	})

	t.Run("host_fn_with_unusual_names", func(t *testing.T) {
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "scoped/add/😊", func(a, b int32) int32 { return a + b })
		}, `
			import * as host from "host";
			function handler(event) {;
				return host["scoped/add/😊"](10, 32);
			}`)
		assert.Equal(t, "42", handle(t, loaded, "handler", `{}`))
	})

	t.Run("binary", testBinaryHostFunctions)
	t.Run("numbers", testNumbersOfHostFunctions)
	t.Run("nested binary", testNestedBinaryResults)
}

// byteLength is the length of the first blob, as several tests want it.
func byteLength(args hyperlight.RawValue) (any, error) {
	if len(args.Blobs) == 0 {
		return 0, nil
	}
	return len(args.Blobs[0]), nil
}

func testBinaryHostFunctions(t *testing.T) {
	t.Run("register_js_binary_arg_round_trip", func(t *testing.T) {
		loaded := loadWith(t, rawHost(t, "byte_length", byteLength), `
			import * as host from "host";
			function handler(event) {
				const data = new Uint8Array([72, 101, 108, 108, 111]);
				return { len: host.byte_length(data) };
			}`)
		assert.Equal(t, `{"len":5}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_js_binary_return", func(t *testing.T) {
		loaded := loadWith(t, rawResult(t, "get_bytes", hyperlight.RawBytes([]byte{10, 20, 30, 40, 50})), `
			import * as host from "host";
			function handler(event) {
				const data = host.get_bytes();
				return { len: data.length, first: data[0], last: data[4] };
			}`)
		assert.Equal(t, `{"len":5,"first":10,"last":50}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_js_mixed_args", func(t *testing.T) {
		loaded := loadWith(t, rawHost(t, "describe", func(args hyperlight.RawValue) (any, error) {
			var values []any
			if err := json.Unmarshal(args.JSON, &values); err != nil {
				return nil, err
			}
			prefix, number := "", 0.0
			for _, value := range values {
				switch value := value.(type) {
				case string:
					prefix = value
				case float64:
					number = value
				}
			}
			return fmt.Sprintf("%s-%d-%v", prefix, len(args.Blobs[0]), number), nil
		}), `
			import * as host from "host";
			function handler(event) {
				const data = new Uint8Array([1, 2, 3]);
				return { result: host.describe("pfx", data, 42) };
			}`)
		assert.Equal(t, `{"result":"pfx-3-42"}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_typed_rejects_binary_args_e2e", func(t *testing.T) {
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "add", func(a, b int32) int32 { return a + b })
		}, `
			import * as host from "host";
			function handler(event) {
				try {
					host.add(new Uint8Array([1, 2]), 3);
					return { error: "should have thrown" };
				} catch (e) {
					return { caught: true };
				}
			}`)
		assert.Equal(t, `{"caught":true}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_js_empty_uint8array", func(t *testing.T) {
		loaded := loadWith(t, rawHost(t, "byte_length", byteLength), `
			import * as host from "host";
			function handler(event) {
				const data = new Uint8Array(0);
				return { len: host.byte_length(data) };
			}`)
		assert.Equal(t, `{"len":0}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_js_multiple_binary_args", func(t *testing.T) {
		loaded := loadWith(t, rawHost(t, "total_length", func(args hyperlight.RawValue) (any, error) {
			total := 0
			for _, blob := range args.Blobs {
				total += len(blob)
			}
			return total, nil
		}), `
			import * as host from "host";
			function handler(event) {
				const a = new Uint8Array([1, 2, 3]);
				const b = new Uint8Array([4, 5]);
				return { total: host.total_length(a, b) };
			}`)
		assert.Equal(t, `{"total":5}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_js_binary_in_nested_object", func(t *testing.T) {
		loaded := loadWith(t, rawHost(t, "process", func(args hyperlight.RawValue) (any, error) {
			var payload []struct{ Name string }
			if err := json.Unmarshal(args.JSON, &payload); err != nil {
				return nil, err
			}
			return fmt.Sprintf("%s-%d", payload[0].Name, len(args.Blobs[0])), nil
		}), `
			import * as host from "host";
			function handler(event) {
				const payload = {
					name: "test",
					data: new Uint8Array([10, 20, 30]),
					count: 3,
				};
				return { result: host.process(payload) };
			}`)
		assert.Equal(t, `{"result":"test-3"}`, handle(t, loaded, "handler", `{}`))
	})
}

func testNumbersOfHostFunctions(t *testing.T) {
	for _, test := range []struct {
		name, call, event, result string
		function                  any
	}{
		{
			"host_fn_with_i32_arg_from_event_data", "(event.x)", `{"x": 42}`, `{"result":84}`,
			func(x int32) int32 { return x * 2 },
		},
		{
			"host_fn_with_i64_arg_from_event_data", "(event.x)", `{"x": 100}`, `{"result":-100}`,
			func(x int64) int64 { return -x },
		},
		{
			"host_fn_with_f64_arg_preserves_fractional", "(event.x)", `{"x": 3.14}`, `{"result":1.57}`,
			func(x float64) float64 { return x / 2 },
		},
		{
			"host_fn_with_bool_arg", "(event.flag)", `{"flag": true}`, `{"result":false}`,
			func(b bool) bool { return !b },
		},
		{
			"host_fn_with_mixed_numeric_types", "(event.a, event.b, event.weight)",
			`{"a": 100, "b": 200, "weight": 0.75}`, `{"result":125}`,
			func(a, b int32, w float64) int32 { return int32(float64(a)*w + float64(b)*(1-w)) },
		},
		{
			"host_fn_with_negative_integer", "(event.x)", `{"x": -42}`, `{"result":42}`,
			func(x int32) int32 { return max(x, -x) },
		},
		{
			"host_fn_with_zero", "(event.x)", `{"x": 0}`, `{"result":1}`,
			func(x int32) int32 { return x + 1 },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
				register(t, proto, "math", "function", test.function)
			}, `
				import * as math from "math";
				function handler(event) {
					return { result: math.function`+test.call+` };
				}`)
			assert.Equal(t, test.result, handle(t, loaded, "handler", test.event))
		})
	}
}

func testNestedBinaryResults(t *testing.T) {
	t.Run("register_js_nested_binary_return_in_object", func(t *testing.T) {
		loaded := loadWith(t, rawResult(t, "get_payload", hyperlight.RawValue{
			JSON:  []byte(`{"name":"test","data":{"__bin__":0}}`),
			Blobs: [][]byte{{10, 20, 30}},
		}), `
			import * as host from "host";
			function handler(event) {
				const result = host.get_payload();
				return {
					name: result.name,
					data_len: result.data.length,
					first: result.data[0],
					last: result.data[2],
				};
			}`)
		assert.Equal(t, `{"name":"test","data_len":3,"first":10,"last":30}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_js_nested_binary_return_in_array", func(t *testing.T) {
		loaded := loadWith(t, rawResult(t, "get_items", hyperlight.RawValue{
			JSON:  []byte(`[{"__bin__":0},{"__bin__":1}]`),
			Blobs: [][]byte{{1, 2, 3}, {4, 5}},
		}), `
			import * as host from "host";
			function handler(event) {
				const items = host.get_items();
				return {
					count: items.length,
					first_len: items[0].length,
					second_len: items[1].length,
					first_byte: items[0][0],
				};
			}`)
		assert.Equal(t, `{"count":2,"first_len":3,"second_len":2,"first_byte":1}`, handle(t, loaded, "handler", `{}`))
	})

	t.Run("register_js_deeply_nested_binary_return", func(t *testing.T) {
		loaded := loadWith(t, rawResult(t, "get_nested", hyperlight.RawValue{
			JSON:  []byte(`{"outer":{"inner":{"label":"deep","data":{"__bin__":0}}}}`),
			Blobs: [][]byte{{0xab, 0xcd}},
		}), `
			import * as host from "host";
			function handler(event) {
				const result = host.get_nested();
				return {
					inner_len: result.outer.inner.data.length,
					first_byte: result.outer.inner.data[0],
					label: result.outer.inner.label,
				};
			}`)
		assert.Equal(t, `{"inner_len":2,"first_byte":171,"label":"deep"}`, handle(t, loaded, "handler", `{}`))
	})
}

// registerPrintAndAdd registers the functions of upstream's first tests.
func registerPrintAndAdd(t *testing.T) func(*hyperlight.ProtoJSSandbox) {
	return func(proto *hyperlight.ProtoJSSandbox) {
		register(t, proto, "host", "print", func(msg string) int32 {
			assert.Equal(t, "Hello, World!!", msg)
			return 42
		})
		register(t, proto, "utils", "add", func(a, b int32) int32 {
			assert.EqualValues(t, 42, a)
			assert.EqualValues(t, 24, b)
			return 66
		})
	}
}

// rawHost registers a raw function in the module "host".
func rawHost(t *testing.T, name string, function func(args hyperlight.RawValue) (any, error)) func(*hyperlight.ProtoJSSandbox) {
	return func(proto *hyperlight.ProtoJSSandbox) {
		t.Helper()
		raw := func(_ context.Context, args hyperlight.RawValue) (hyperlight.RawValue, error) {
			result, err := function(args)
			if err != nil {
				return hyperlight.RawValue{}, err
			}
			return hyperlight.RawJSON(result)
		}
		require.NoError(t, proto.HostModule("host").RegisterRaw(name, raw))
	}
}

// rawResult registers a raw function with a fixed result in the module "host".
func rawResult(t *testing.T, name string, result hyperlight.RawValue) func(*hyperlight.ProtoJSSandbox) {
	return func(proto *hyperlight.ProtoJSSandbox) {
		t.Helper()
		raw := func(context.Context, hyperlight.RawValue) (hyperlight.RawValue, error) { return result, nil }
		require.NoError(t, proto.HostModule("host").RegisterRaw(name, raw))
	}
}
