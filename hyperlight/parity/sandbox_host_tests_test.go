package parity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestSandboxHostTests is tests/sandbox_host_tests.rs of hyperlight-host, as far as JavaScript can do what
// upstream's test guests do. What these get as parameters goes through host functions here.
func TestSandboxHostTests(t *testing.T) {
	t.Run("pass_byte_array", func(t *testing.T) {
		const length = 10
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "setByteArrayToZero", func(data []byte) []byte {
				clear(data)
				return data
			})
			register(t, proto, "host", "size", func(data []byte, size int) error {
				if len(data) != size {
					return fmt.Errorf("%d bytes, not %d", len(data), size)
				}
				return nil
			})
		}, `
			import * as host from "host";
			function handler(event) {
				const data = new Uint8Array(event.length).fill(1);
				if (event.size) { host.size(data, event.length); } else { host.size(data); }
				return Array.from(host.setByteArrayToZero(data));
			}`)
		assert.Equal(t, "["+strings.TrimSuffix(strings.Repeat("0,", length), ",")+"]",
			handle(t, loaded, "handler", fmt.Sprintf(`{"length":%d,"size":true}`, length)))
		_, err := loaded.HandleEvent(t.Context(), "handler", fmt.Appendf(nil, `{"length":%d}`, length))
		require.ErrorIs(t, err, hyperlight.ErrJSException)
		assert.Contains(t, asError(t, err).Exception.Message, "takes 2 arguments, got 1")
	})

	t.Run("float_roundtrip", testFloatRoundTrip)

	t.Run("invalid_guest_function_name", func(t *testing.T) {
		_, err := loadHandler(t, echo).HandleEvent(t.Context(), "FunctionDoesntExist", []byte(`{}`))
		require.ErrorIs(t, err, hyperlight.ErrHandlerNotFound)
		assert.Contains(t, asError(t, err).Message, "FunctionDoesntExist")
	})

	t.Run("multiple_parameters", func(t *testing.T) {
		var printed string
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "print", func(args ...any) { printed = fmt.Sprintln(args...) })
			register(t, proto, "host", "print11", func(a string, b int32, c int64, d, e string, f, g bool, h uint32, i uint64, j int32, k float32) {
				printed = fmt.Sprintln(a, b, c, d, e, f, g, h, i, j, k)
			})
		}, `
			import * as host from "host";
			const all = ["1", 2, 3, "4", "5", true, false, 8, 9, 10, 3.123];
			function handler(count) {
				if (count == 11) { host.print11(...all); } else { host.print(...all.slice(0, count)); }
				return null;
			}`)
		expected := []string{"1", "2", "3", "4", "5", "true", "false", "8", "9", "10", "3.123"}
		for count := 2; count <= 11; count++ {
			handle(t, loaded, "handler", fmt.Sprint(count))
			assert.Equal(t, strings.Join(expected[:count], " ")+"\n", printed)
		}
	})

	t.Run("incorrect_parameter_type", func(t *testing.T) {
		assert.Contains(t, complaint(t, `host.echo(2)`), "argument 1 (string)")
	})
	t.Run("incorrect_parameter_num", func(t *testing.T) {
		assert.Contains(t, complaint(t, `host.echo("1", 2)`), "takes 1 argument, got 2")
	})

	t.Run("small_scratch_sandbox", func(t *testing.T) {
		_, err := hyperlight.New(hyperlight.WithUpstreamDefaults(),
			hyperlight.WithScratchSize(0x100000), hyperlight.WithInputBufferSize(0x80000), hyperlight.WithOutputBufferSize(0x80000))
		require.ErrorIs(t, err, hyperlight.ErrMemorySize)
		assert.Equal(t, hyperlight.CodeMemoryTooSmall, asError(t, err).Code)
	})

	t.Run("simple_test", func(t *testing.T) { require.NoError(t, simpleTest(t)) })
	t.Run("simple_test_parallel", func(t *testing.T) { inParallel(t, simpleTest) })
	t.Run("callback_test", func(t *testing.T) { require.NoError(t, callbackTest(t)) })
	t.Run("callback_test_parallel", func(t *testing.T) { inParallel(t, callbackTest) })

	t.Run("host_function_error", func(t *testing.T) {
		failure := errors.New("Host function error!")
		loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
			register(t, proto, "host", "HostMethod1", func(string) (string, error) { return "", failure })
		}, `
			import * as host from "host";
			function handler(event) { return host.HostMethod1(event); }`)
		for range 1000 {
			_, err := loaded.HandleEvent(t.Context(), "handler", []byte(`"Hello world"`))
			require.ErrorIs(t, err, hyperlight.ErrJSException)
			require.ErrorIs(t, err, failure)
			require.Contains(t, asError(t, err).Exception.Message, "Host function error!")
			require.Equal(t, hyperlight.StatusReady, loaded.Status())
		}
	})
}

// testFloatRoundTrip sends numbers through a host function and back. JSON has no infinities and no NaN: they
// are null.
func testFloatRoundTrip(t *testing.T) {
	var got []float64
	loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
		register(t, proto, "host", "echo", func(f *float64) *float64 {
			if f == nil {
				got = append(got, math.NaN())
			} else {
				got = append(got, *f)
			}
			return f
		})
	}, `
		import * as host from "host";
		const doubles = [0.0, -0.0, 1.0, -1.0, Math.PI, -Math.PI, -1231.43821, Number.MAX_VALUE, -Number.MAX_VALUE,
			Number.EPSILON, Infinity, -Infinity, NaN, Math.fround(3.1415927), Math.fround(-1231.4382)];
		function handler() {
			return doubles.map(double => {
				const back = host.echo(double);
				return back === null ? !Number.isFinite(double) : back == double;
			});
		}`)
	var same []bool
	require.NoError(t, json.Unmarshal([]byte(handle(t, loaded, "handler", `{}`)), &same))
	for i, expected := range []float64{
		0, 0, 1, -1, math.Pi, -math.Pi, -1231.43821, math.MaxFloat64, -math.MaxFloat64, 0x1p-52,
		math.NaN(), math.NaN(), math.NaN(), float64(float32(3.1415927)), float64(float32(-1231.4382)),
	} {
		assert.True(t, same[i], "number %d", i)
		if math.IsNaN(expected) {
			assert.True(t, math.IsNaN(got[i]), "number %d", i)
		} else {
			assert.Equal(t, expected, got[i], "number %d", i) //nolint:testifylint // exactly
		}
	}
}

// complaint is what a guest hears about a call of host.echo, which takes a string.
func complaint(t *testing.T, call string) string {
	t.Helper()
	loaded := loadWith(t, func(proto *hyperlight.ProtoJSSandbox) {
		register(t, proto, "host", "echo", func(text string) string { return text })
	}, `
		import * as host from "host";
		function handler() {
			try { return `+call+`; } catch (e) { return e.message; }
		}`)
	return handle(t, loaded, "handler", `{}`)
}

// simpleTest prints, and gets text and bytes back.
func simpleTest(t *testing.T) error {
	var printed []string
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults(),
		hyperlight.WithPrintFunc(func(text string) { printed = append(printed, text) }))
	if err != nil {
		return err
	}
	register(t, proto, "host", "buffer", func(data []byte) []byte { return data })
	answer, err := answerOf(t, proto, `
		import * as host from "host";
		function handler(event) {
			print("hello");
			return [event, Array.from(host.buffer(new Uint8Array([1, 2, 3, 4, 5, 6])))];
		}`, `"world"`)
	if err != nil {
		return err
	}
	if answer != `["world",[1,2,3,4,5,6]]` || len(printed) != 1 || printed[0] != "hello" {
		return fmt.Errorf("%s, printed %q", answer, printed)
	}
	return nil
}

// callbackTest calls the host.
func callbackTest(t *testing.T) error {
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults())
	if err != nil {
		return err
	}
	var messages []string
	register(t, proto, "host", "HostMethod1", func(message string) int {
		messages = append(messages, message)
		return len(message)
	})
	_, err = answerOf(t, proto, `
		import * as host from "host";
		function handler(event) { return host.HostMethod1("Hello from GuestFunction1, " + event); }`, `"Hello world"`)
	if err == nil && (len(messages) != 1 || messages[0] != "Hello from GuestFunction1, Hello world") {
		err = fmt.Errorf("%q", messages)
	}
	return err
}

// answerOf boots a sandbox, runs a handler and closes the sandbox: on any goroutine.
func answerOf(t *testing.T, proto *hyperlight.ProtoJSSandbox, source, event string) (string, error) {
	sandbox, err := proto.LoadRuntime(t.Context())
	if err != nil {
		return "", err
	}
	if err := sandbox.AddHandler("handler", hyperlight.Script(source)); err != nil {
		return "", err
	}
	loaded, err := sandbox.Load(t.Context())
	if err != nil {
		return "", err
	}
	defer func() { _ = loaded.Close() }()
	answer, err := loaded.HandleEvent(t.Context(), "handler", []byte(event))
	return string(answer), err
}

// inParallel runs a test on ten goroutines. Upstream has 50 and 100 threads, whose micro-VMs need more memory
// than the emulated machine has.
func inParallel(t *testing.T, test func(*testing.T) error) {
	t.Helper()
	var running sync.WaitGroup
	failures := make(chan error, 10)
	for range cap(failures) {
		running.Go(func() { failures <- test(t) })
	}
	running.Wait()
	close(failures)
	for err := range failures {
		assert.NoError(t, err)
	}
}
