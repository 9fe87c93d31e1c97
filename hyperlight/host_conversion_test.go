package hyperlight_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What the doc comment of Register says about values, line by line, with a real guest.

type document struct {
	Name  string         `json:"name"`
	Data  []byte         `json:"data,omitempty"`
	Pages [][]byte       `json:"pages,omitempty"`
	Extra map[string]any `json:"extra,omitempty"`
}

func TestArgumentsFromJavaScript(t *testing.T) {
	// Each function returns what it got, as Go prints it.
	show := func(value any) string { return fmt.Sprintf("%#v", value) }
	loaded := loadWith(t, functions{
		"any":      func(v any) string { return show(v) },
		"bytes":    func(v []byte) string { return show(v) },
		"int":      func(v int64) string { return show(v) },
		"uint":     func(v uint64) string { return show(v) },
		"byte":     func(v uint8) string { return show(v) },
		"float":    func(v float64) string { return show(v) },
		"bool":     func(v bool) string { return show(v) },
		"string":   func(v string) string { return show(v) },
		"pointer":  func(v *int) string { return show(v) },
		"time":     func(v time.Time) string { return v.Format(time.RFC3339Nano) },
		"number":   func(v json.Number) string { return string(v) },
		"raw":      func(v json.RawMessage) string { return string(v) },
		"map":      func(v map[string][]byte) string { return show(v) },
		"document": func(v document) string { return show(v) },
		"list":     func(v ...any) string { return show(v) },
	}, evaluates)
	for _, test := range []struct{ expression, result string }{
		{`host.any(new Uint8Array([1, 2]))`, `[]byte{0x1, 0x2}`},
		{`host.any({a: [new Uint8Array(0)]})`, `map[string]interface {}{"a":[]interface {}{[]uint8{}}}`},
		{`host.bytes(new Uint8Array([1, 2]))`, `[]byte{0x1, 0x2}`},
		{`host.bytes(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))`, `[]byte{0x2, 0x3}`},
		{`host.bytes(null)`, `[]byte(nil)`},
		{`host.bytes("AAAA")`, thrown("bytes", "argument 1 ([]uint8): got string, not a Uint8Array")},
		{`host.bytes([1, 2])`, thrown("bytes", "argument 1 ([]uint8): got array, not a Uint8Array")},
		{`host.bytes({__bin__: 0})`, thrown("bytes", "argument 1 ([]uint8): got object, not a Uint8Array")},
		{`host.string(new Uint8Array(1))`, thrown("string", "argument 1 (string): got Uint8Array inside, where text is wanted")},
		{`host.any(new Uint16Array([1, 2]))`, `map[string]interface {}{"0":1, "1":2}`},
		{`host.any(new ArrayBuffer(2))`, `map[string]interface {}{}`},
		{`host.map({a: new Uint8Array([1]), b: null})`, `map[string][]uint8{"a":[]uint8{0x1}, "b":[]uint8(nil)}`},
		{`host.document({name: "x", data: new Uint8Array([1]), pages: [new Uint8Array([2])], extra: {a: new Uint8Array([3])}, more: 1})`,
			`hyperlight_test.document{Name:"x", Data:[]uint8{0x1}, Pages:[][]uint8{[]uint8{0x2}}, Extra:map[string]interface {}{"a":[]uint8{0x3}}}`},
		{`host.document({name: null})`, `hyperlight_test.document{Name:"", Data:[]uint8(nil), Pages:[][]uint8(nil), Extra:map[string]interface {}(nil)}`},

		{`host.any(1)`, `1`},
		{`host.any(2**53 + 2)`, `9.007199254740994e+15`},
		{`host.any(0.1 + 0.2)`, `0.30000000000000004`},
		{`host.int(2**53 + 2)`, `9007199254740994`},
		{`host.int(-(2**62))`, `-4611686018427387904`},
		{`host.int(2**63)`, `9223372036854775807`},
		{`host.int(2**64)`, thrown("int", "argument 1 (int64): got number 1.8446744073709552e+19")},
		{`host.uint(-1)`, thrown("uint", "argument 1 (uint64): got number -1")},
		{`host.byte(256)`, thrown("byte", "argument 1 (uint8): got number 256")},
		{`host.int(1.5)`, thrown("int", "argument 1 (int64): got number 1.5")},
		{`host.float(5e-324)`, `5e-324`},
		{`host.float(Number.MAX_VALUE)`, `1.7976931348623157e+308`},
		{`host.float(-0)`, `0`},
		{`host.float(NaN)`, thrown("float", "argument 1 (float64): got null")},
		{`host.any([NaN, Infinity, -Infinity])`, `[]interface {}{interface {}(nil), interface {}(nil), interface {}(nil)}`},
		{`host.pointer(NaN)`, `(*int)(nil)`},
		{`host.number(1e21)`, `1e+21`},
		{`host.any(10n)`, `"TypeError: BigInt are forbidden in JSON.stringify"`},

		{`host.bool(true)`, `true`},
		{`host.bool(1)`, thrown("bool", "argument 1 (bool): got number")},
		{`host.string("ä😊\u0000")`, `"ä😊\x00"`},
		{`host.string("\ud83d\ude0a")`, `"😊"`},
		{`host.string("\ud83d")`, `"TypeError: Conversion from string failed: invalid utf-8 sequence of 1 bytes from index 0"`},
		{`host.string(1)`, thrown("string", "argument 1 (string): got number")},
		{`host.any(undefined)`, `<nil>`},
		{`host.any(Symbol("x"))`, `<nil>`},
		{`host.any(() => 1)`, `map[string]interface {}{}`},
		{`host.string(undefined)`, thrown("string", "argument 1 (string): got null")},
		{`host.string()`, thrown("string", "takes 1 argument, got 0")},
		{`host.string("a", "b")`, thrown("string", "takes 1 argument, got 2")},
		{`host.list()`, `[]interface {}{}`},
		{`host.list(1, undefined, "x")`, `[]interface {}{1, interface {}(nil), "x"}`},
		{`host.any([1, , 3])`, `[]interface {}{1, interface {}(nil), 3}`},

		{`host.time(new Date(5))`, `1970-01-01T00:00:00.005Z`},
		{`host.any(new Date(5))`, `"1970-01-01T00:00:00.005Z"`},
		{`host.time(new Date(NaN))`, `0001-01-01T00:00:00Z`},
		{`host.any({toJSON() { return new Uint8Array([1]); }})`, `[]byte{0x1}`},
		{`host.raw({b: 1, a: [null, undefined]})`, `{"a":[null,null],"b":1}`},
		{`host.any(new Map([[1, 2]]))`, `map[string]interface {}{}`},
		{`host.any({get a() { throw new Error("getter"); }})`, `"Error: getter"`},
		{`const a = {}; a.a = a; host.any(a)`, `"InternalError: Host function error: JSON nesting depth exceeds maximum (64)"`},

		{`host.list(new Uint8Array([1]), {__bin__: 0}, {__bin__: 1}, {__bin__: 0, x: 0})`,
			`[]interface {}{[]uint8{0x1}, []uint8{0x1}, map[string]interface {}{"__bin__":1}, map[string]interface {}{"__bin__":0, "x":0}}`},
		{`host.list({__bin__: 0}, {__bin__: -1}, {__bin__: 1e300}, {__bin__: "0"})`,
			`[]interface {}{map[string]interface {}{"__bin__":0}, map[string]interface {}{"__bin__":-1}, map[string]interface {}{"__bin__":1e+300}, map[string]interface {}{"__bin__":"0"}}`},
	} {
		expected := test.result
		if !strings.Contains(expected, "Error: ") {
			quoted, err := json.Marshal(expected)
			assert.NoError(t, err)
			expected = string(quoted)
		}
		assert.JSONEq(t, expected, evaluate(t, loaded, test.expression), test.expression)
	}
}

func TestResultsInJavaScript(t *testing.T) {
	type point struct {
		Z, A int
	}
	loaded := loadWith(t, functions{
		"none":     func() {},
		"null":     func() any { return nil },
		"noBytes":  func() []byte { return nil },
		"bytes":    func() []byte { return []byte{1, 255} },
		"empty":    func() []byte { return []byte{} },
		"anyBytes": func() any { return []byte{1, 255} },
		"document": func() document {
			return document{"x", []byte{1}, [][]byte{{2}, {}}, map[string]any{"deep": []any{[]byte{3}}}}
		},
		"array": func() [2]byte { return [2]byte{1, 2} },
		"forged": func() any {
			return []any{map[string]int{"__bin__": 0}, []byte{9}, json.RawMessage(`{"\u005f_bin__":0}`)}
		},
		"plain":   func() any { return map[string]int{"__bin__": 0} },
		"max":     func() []any { return []any{int64(math.MaxInt64), uint64(math.MaxUint64), int64(1)<<53 + 1} },
		"negZero": func() float64 { return math.Copysign(0, -1) },
		"nan":     math.NaN,
		"third":   func() float64 { return 1.0 / 3 },
		"sum":     func() float64 { return 0.30000000000000004 },
		"time":    func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC) },
		"text":    func() string { return "<ä😊\x00\u2028>" },
		"badText": func() string { return "a\xffb" },
		"struct":  func() point { return point{1, 2} },
		"deep": func(depth int) any {
			var value any = 1
			for range depth {
				value = []any{value}
			}
			return value
		},
	}, evaluates)
	for _, test := range []struct{ expression, result string }{
		{`host.none() === null`, `true`},
		{`host.null() === null`, `true`},
		{`host.noBytes() === null`, `true`},
		{`const b = host.bytes(); [b instanceof Uint8Array, b.length, b[1]]`, `[true,2,255]`},
		{`const b = host.empty(); [b instanceof Uint8Array, b.length]`, `[true,0]`},
		{`const b = host.anyBytes(); [b instanceof Uint8Array, b.length, b[1]]`, `[true,2,255]`},
		{`const d = host.document(); [d.name, d.data, d.pages[0], d.pages[1].length, d.extra.deep[0]].map(v => v instanceof Uint8Array ? v[0] : v)`, `["x",1,2,0,3]`},
		{`host.array()`, `[1,2]`},
		{`const [a, b, c] = host.forged(); [a, b instanceof Uint8Array, b[0], c, a.__bin__ === 0]`, `[{"__bin__":0},true,9,{"__bin__":0},true]`},
		{`host.plain()`, `{"__bin__":0}`},
		{`host.max().map(String)`, `["9223372036854776000","18446744073709552000","9007199254740992"]`},
		{`Object.is(host.negZero(), -0)`, `true`},
		{`host.nan()`, thrown("nan", "result (float64): unsupported value: NaN")},
		{`host.third() === 1 / 3`, `true`},
		{`Math.abs(host.sum() - (0.1 + 0.2)) <= Number.EPSILON`, `true`},
		{`host.time()`, `"2026-01-02T03:04:05.000000006Z"`},
		{`new Date(host.time()).getTime() === Date.UTC(2026, 0, 2, 3, 4, 5)`, `true`},
		{`const s = host.text(); [s.length, s === "<ä😊\0\u2028>"]`, `[7,true]`},
		{`host.badText() === "a\ufffdb"`, `true`},
		{`Object.keys(host.struct())`, `["A","Z"]`},
		{`JSON.stringify(host.deep(64)).length`, `129`},
		{`host.deep(65)`, thrown("deep", "the result: JSON nesting depth exceeds maximum (64) at line 1 column 65")},
		{`host.deep(1000)`, thrown("deep", "result (interface {}): JSON nesting depth exceeds maximum (64)")},
	} {
		assert.JSONEq(t, test.result, evaluate(t, loaded, test.expression), test.expression)
	}
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}
