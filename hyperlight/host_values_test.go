package hyperlight

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type (
	hash     []byte
	octet    byte
	octets   []octet
	textKey  struct{ s string }
	tree     struct{ Left, Right *tree }
	inner    struct{ Data []byte }
	pointers struct{ *inner }
	hiding   struct {
		inner
		Data []byte `json:",omitempty"`
		Last []byte
	}
	fields struct {
		Name  string   `json:"name"`
		Data  []byte   `json:"data"`
		Maybe []byte   `json:"maybe,omitempty"`
		Skip  chan int `json:"-"`
		inner
		_ chan int
	}
)

func (k textKey) MarshalText() ([]byte, error)     { return []byte(k.s), nil }
func (k *textKey) UnmarshalText(text []byte) error { k.s = string(text); return nil }

// packet converts itself, as some types do to have defaults.
type packet struct{ Data []byte }

func (p *packet) UnmarshalJSON(text []byte) error {
	type plain packet
	return json.Unmarshal(text, (*plain)(p))
}

type label string

func (l *label) UnmarshalText(text []byte) error { *l = label(text); return nil }

// shipment holds such types in all ways.
type shipment struct {
	inner
	*Packets
	Label  label `json:"label"`
	Time   time.Time
	Data   label `json:"-"`
	Other  []byte
	hidden label //lint:ignore U1000 encoding/json does not see it
}

// Packets is exported, so that encoding/json can set the pointer to it.
type Packets struct {
	List []*packet
	Map  map[string][1]packet
}

// What converts itself would take the mark of a Uint8Array for data.
func TestNoUint8ArrayInTypesThatConvertThemselves(t *testing.T) {
	const problem = "got Uint8Array inside, in a type with UnmarshalJSON or UnmarshalText"
	for _, test := range []struct {
		function any
		args     string
	}{
		{func(packet) {}, `[{"Data":{"__bin__":0}}]`},
		{func(*packet) {}, `[{"Data":{"__bin__":0}}]`},
		{func(label) {}, `[{"__bin__":0}]`},
		{func(...label) {}, `[{"__bin__":0}]`},
		{func(shipment) {}, `[{"LABEL":{"__bin__":0}}]`},
		{func(shipment) {}, `[{"list":[null,{"Data":{"__bin__":0}}]}]`},
		{func(shipment) {}, `[{"Map":{"x":[{"Data":{"__bin__":1}}]}}]`},
		{func(map[string]*shipment) {}, `[{"a":{"label":{"__bin__":0}}}]`},
	} {
		_, err := invoke(t, test.function, test.args)
		assert.ErrorContains(t, err, problem, "%T %s", test.function, test.args)
	}
	for _, args := range []string{
		`[{"Data":{"__bin__":1},"label":"x","unknown":{"__bin__":0},"hidden":{"__bin__":0}}]`,
		`[{"Other":{"__bin__":0},"List":[{"Data":null}],"Time":"2006-01-02T15:04:05Z"}]`,
	} {
		_, err := invoke(t, func(shipment) {}, args)
		assert.NoError(t, err, args)
	}
	_, err := invoke(t, func(p packet) string { return string(p.Data) }, `[{"Data":"YQ=="}]`)
	assert.NoError(t, err)
}

func TestShapesOfFunctions(t *testing.T) {
	for _, function := range []any{
		func() {},
		func() error { return nil },
		func() (int, error) { return 0, nil },
		func(context.Context) {},
		func(context.Context, ...string) {},
		func(any, *any, []any, map[string]any, [3]any) any { return nil },
		func([]byte, hash, octets, map[string][]byte, [][]byte) []byte { return nil },
		func(fields, *fields, tree) fields { return fields{} },
		func(map[int]int, map[textKey]int, map[netip.Addr]int) map[textKey]int { return nil },
		func(time.Time, netip.Addr, json.RawMessage, json.Number) time.Time { return time.Time{} },
		func(struct{}) io.Reader { return nil },
		strings.ToUpper,
		(*strings.Builder).String,
	} {
		_, problem := newSignature(function)
		assert.Empty(t, problem, "%T", function)
	}
	for _, test := range []struct {
		function any
		problem  string
	}{
		{nil, "it is nil, not a function"},
		{42, "it is int, not a function"},
		{(func(int))(nil), "it is a nil func(int)"},
		{func(chan int) {}, "parameter 1 (chan int) cannot come from JavaScript: chan int has no JSON"},
		{func(int, func()) {}, "parameter 2 (func()) cannot come from JavaScript: func() has no JSON"},
		{func(context.Context, complex64) {}, "parameter 2 (complex64) cannot come from JavaScript: complex64 has no JSON"},
		{func(unsafe.Pointer) {}, "parameter 1 (unsafe.Pointer) cannot come from JavaScript: unsafe.Pointer has no JSON"},
		{func(...chan int) {}, "parameter 1 (chan int) cannot come from JavaScript: chan int has no JSON"},
		{func(int, context.Context) {}, "parameter 2 is a context.Context, which must come first"},
		{func(context.Context, context.Context) {}, "parameter 2 is a context.Context, which must come first"},
		{func(io.Reader) {}, "parameter 1 (io.Reader) cannot come from JavaScript: io.Reader is an interface with methods, so it is unknown what to make"},
		{func(error) {}, "parameter 1 (error) cannot come from JavaScript: error is an interface with methods, so it is unknown what to make"},
		{func(map[float64]int) {}, "parameter 1 (map[float64]int) cannot come from JavaScript: map[float64]int has keys that are no strings"},
		{func([]struct{ C chan int }) {}, "parameter 1 ([]struct { C chan int }) cannot come from JavaScript: field C of struct { C chan int }: chan int has no JSON"},
		{func(pointers) {}, "parameter 1 (hyperlight.pointers) cannot come from JavaScript: hyperlight.pointers embeds a pointer to the unexported hyperlight.inner"},
		{func(context.Context, RawValue) (RawValue, error) { return RawValue{}, nil }, "parameter 2 (hyperlight.RawValue) cannot come from JavaScript: hyperlight.RawValue is for RegisterRaw"},
		{func() RawValue { return RawValue{} }, "its result (hyperlight.RawValue) cannot go to JavaScript: hyperlight.RawValue is for RegisterRaw"},
		{func() chan int { return nil }, "its result (chan int) cannot go to JavaScript: chan int has no JSON"},
		{func() map[bool]int { return nil }, "its result (map[bool]int) cannot go to JavaScript: map[bool]int has keys that are no strings"},
		{func() (int, int) { return 0, 0 }, "its second result is int, not error"},
		{func() (error, string) { return nil, "" }, "its second result is string, not error"}, //lint:ignore ST1008 it is refused
		{func() (int, int, error) { return 0, 0, nil }, "it has 3 results; expected none, T, error, or (T, error)"},
	} {
		_, problem := newSignature(test.function)
		assert.Equal(t, test.problem, problem, "%T", test.function)
	}
}

// invoke calls a function as a guest would, with blobs "zero" and "one".
func invoke(t *testing.T, function any, args string) (RawValue, error) {
	t.Helper()
	s, problem := newSignature(function)
	require.Empty(t, problem)
	raw := RawValue{JSON: []byte(args)}
	if strings.Contains(args, placeholderKey) {
		raw.Blobs = [][]byte{[]byte("zero"), []byte("one")}
	}
	return s.call(t.Context(), raw)
}

func TestArguments(t *testing.T) {
	zero, one := []byte("zero"), []byte("one")
	check := func(name string, function any, args string) {
		t.Run(name, func(t *testing.T) {
			_, err := invoke(t, function, args)
			assert.NoError(t, err)
		})
	}
	check("none", func() {}, `[]`)
	check("bytes", func(a []byte, b hash, c octets) {
		assert.Equal(t, zero, a)
		assert.Equal(t, hash(one), b)
		assert.Equal(t, octets{'o', 'n', 'e'}, c)
	}, `[{"__bin__":0},{"__bin__":1},{"__bin__":1}]`)
	check("no bytes", func(a []byte, b *[]byte) {
		assert.Nil(t, a)
		assert.Nil(t, b)
	}, `[null,null]`)
	check("bytes inside", func(f fields, m map[string][]byte, s [][]byte, p *[]byte, n [1][]byte) {
		assert.Equal(t, fields{Name: "x", Data: one, inner: inner{zero}}, fields{Name: f.Name, Data: one, inner: f.inner})
		assert.Equal(t, map[string][]byte{"a": zero, "b": nil}, m)
		assert.Equal(t, [][]byte{one, zero}, s)
		assert.Equal(t, &one, p)
		assert.Equal(t, [1][]byte{one}, n)
	}, `[{"name":"x","Data":{"__bin__":0}},{"a":{"__bin__":0},"b":null},[{"__bin__":1},{"__bin__":0}],{"__bin__":1},[{"__bin__":1}]]`)
	check("any", func(a any, m map[string]any, s ...any) {
		assert.Equal(t, zero, a)
		assert.Equal(t, map[string]any{"a": []any{one, map[string]any{"b": zero}}, "c": 1.5}, m)
		assert.Equal(t, []any{nil, true, "x", map[string]any{"__bin__": 2.0}, one}, s)
	}, `[{"__bin__":0},{"a":[{"__bin__":1},{"b":{"__bin__":0}}],"c":1.5},null,true,"x",{"__bin__":2},{"__bin__":1}]`)
	check("null", func(p *int, s []int, m map[string]int, a any, r json.RawMessage, at time.Time) {
		assert.Nil(t, p)
		assert.Nil(t, s)
		assert.Nil(t, m)
		assert.Nil(t, a)
		assert.Equal(t, "null", string(r))
		assert.Zero(t, at)
	}, `[null,null,null,null,null,null]`)
	check("context", func(ctx context.Context, a int) {
		assert.NotNil(t, ctx)
		assert.Equal(t, 7, a)
	}, `[7]`)
	check("variadic", func(first string, rest ...int) {
		assert.Equal(t, "x", first)
		assert.Equal(t, []int{1, 2, 3}, rest)
	}, `["x",1,2,3]`)
	check("variadic, none", func(first string, rest ...int) { assert.Empty(t, rest) }, `["x"]`)
	check("time", func(at time.Time) { assert.Equal(t, time.UnixMilli(5).UTC(), at) }, `["1970-01-01T00:00:00.005Z"]`)
	check("numbers", func(i int64, u uint64, f float64, n json.Number) {
		assert.EqualValues(t, math.MaxInt64, i)
		assert.EqualValues(t, uint64(math.MaxUint64), u)
		assert.Equal(t, 0.30000000000000004, f)
		assert.EqualValues(t, "1e400", n)
	}, `[9223372036854775807,18446744073709551615,0.30000000000000004,1e400]`)
}

func TestArgumentsThatDoNotFit(t *testing.T) {
	type person struct {
		Age   int8   `json:"age"`
		Photo []byte `json:"photo"`
		Name  string
	}
	for _, test := range []struct {
		function any
		args     string
		text     string
	}{
		{func() {}, `[1]`, "takes 0 arguments, got 1"},
		{func(int) {}, `[]`, "takes 1 argument, got 0"},
		{func(int, int) {}, `[1]`, "takes 2 arguments, got 1"},
		{func(context.Context, int) {}, `[1,2]`, "takes 1 argument, got 2"},
		{func(int, ...int) {}, `[]`, "takes at least 1 argument, got 0"},
		{func(int32) {}, `["1"]`, "argument 1 (int32): got string"},
		{func(int, int32) {}, `[1,1.5]`, "argument 2 (int32): got number 1.5"},
		{func(int8) {}, `[300]`, "argument 1 (int8): got number 300"},
		{func(uint) {}, `[-1]`, "argument 1 (uint): got number -1"},
		{func(bool) {}, `[{}]`, "argument 1 (bool): got object"},
		{func(string) {}, `[[]]`, "argument 1 (string): got array"},
		{func(string) {}, `[null]`, "argument 1 (string): got null"},
		{func(struct{}) {}, `[null]`, "argument 1 (struct {}): got null"},
		{func([2]int) {}, `[null]`, "argument 1 ([2]int): got null"},
		{func(...int) {}, `[1,2,null]`, "argument 3 (int): got null"},
		{func(...int) {}, `[1,true]`, "argument 2 (int): got bool"},
		{func(person) {}, `[{"age":"x"}]`, "argument 1 (hyperlight.person): field age (int8): got string"},
		{func(person) {}, `[{"age":{"__bin__":1}}]`, "argument 1 (hyperlight.person): field age (int8): got string or Uint8Array"},
		{func([]byte) {}, `["AAAA"]`, "argument 1 ([]uint8): got string, not a Uint8Array"},
		{func([]byte) {}, `[[1,2]]`, "argument 1 ([]uint8): got array, not a Uint8Array"},
		{func([]byte) {}, `[{}]`, "argument 1 ([]uint8): got object, not a Uint8Array"},
		{func([]byte) {}, `[{"__bin__":2}]`, "argument 1 ([]uint8): got object, not a Uint8Array"},
		{func([]byte) {}, `[1]`, "argument 1 ([]uint8): got number, not a Uint8Array"},
		{func([]byte) {}, `[true]`, "argument 1 ([]uint8): got bool, not a Uint8Array"},
		{func(person) {}, `[{"photo":"AAAA"}]`, "argument 1 (hyperlight.person): field Photo: got string or array inside, where a Uint8Array is wanted"},
		{func(person) {}, `[{"photo":[1]}]`, "argument 1 (hyperlight.person): field Photo: got string or array inside, where a Uint8Array is wanted"},
		{func(person) {}, `[{"photo":""}]`, "argument 1 (hyperlight.person): field Photo: got string or array inside, where a Uint8Array is wanted"},
		{func(person) {}, `[{"Name":{"__bin__":1}}]`, "argument 1 (hyperlight.person): field Name: got Uint8Array inside, where text is wanted"},
		{func(map[string][]byte) {}, `[{"a":"AAAA"}]`, "argument 1 (map[string][]uint8): got string or array inside, where a Uint8Array is wanted"},
		{func(map[string]string) {}, `[{"a":{"__bin__":1}}]`, "argument 1 (map[string]string): got Uint8Array inside, where text is wanted"},
		{func([]json.RawMessage) {}, `[[{"__bin__":1}]]`, "argument 1 ([]json.RawMessage): got Uint8Array inside, where text is wanted"},
		{func(json.RawMessage) {}, `[{"__bin__":1}]`, "argument 1 (json.RawMessage): got Uint8Array inside, where text is wanted"},
		{func([]netip.Addr) {}, `[[{"__bin__":1}]]`, "argument 1 ([]netip.Addr): got Uint8Array"},
		{func([]json.Number) {}, `[[{"__bin__":1}]]`, "argument 1 ([]json.Number): got Uint8Array"},
		{func(int) {}, `[{"__bin__":1}]`, "argument 1 (int): got Uint8Array"},
		{func(string) {}, `[{"__bin__":1}]`, "argument 1 (string): got Uint8Array inside, where text is wanted"},
		{func(person) {}, `[{"__bin__":1}]`, "argument 1 (hyperlight.person): got Uint8Array"},
		{func(time.Time) {}, `["yesterday"]`, `argument 1 (time.Time): parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`},
	} {
		_, err := invoke(t, test.function, test.args)
		assert.EqualError(t, err, test.text, "%T %s", test.function, test.args)
	}
}

func TestResults(t *testing.T) {
	data := []byte("data")
	for _, test := range []struct {
		name     string
		function any
		json     string
		blobs    [][]byte
	}{
		{"nothing", func() {}, "", nil},
		{"no error", func() error { return nil }, "", nil},
		{"value and no error", func() (string, error) { return "<&>", nil }, `"<&>"`, nil},
		{"nil", func() any { return nil }, `null`, nil},
		{"bytes", func() []byte { return data }, `{"__bin__":0}`, [][]byte{data}},
		{"named bytes", func() octets { return octets("data") }, `{"__bin__":0}`, [][]byte{data}},
		{"no bytes", func() []byte { return nil }, `null`, nil},
		{"empty bytes", func() []byte { return []byte{} }, `{"__bin__":0}`, [][]byte{{}}},
		{"any bytes", func() any { return data }, `{"__bin__":0}`, [][]byte{data}},
		{"pointer", func() *[]byte { return &data }, `{"__bin__":0}`, [][]byte{data}},
		{"slice", func() [][]byte { return [][]byte{data, nil, {}} }, `[{"__bin__":0},null,{"__bin__":1}]`, [][]byte{data, {}}},
		{"array", func() [2]any { return [2]any{data, "x"} }, `[{"__bin__":0},"x"]`, [][]byte{data}},
		{"map", func() map[string]any { return map[string]any{"a": 1, "b": map[string][]byte{"c": data}} },
			`{"a":1,"b":{"c":{"__bin__":0}}}`, [][]byte{data}},
		{"struct", func() *fields { return &fields{Name: "x", Data: data, Maybe: []byte{}, inner: inner{[]byte("in")}} },
			`{"name":"x","data":{"__bin__":0},"Data":{"__bin__":1}}`, [][]byte{data, []byte("in")}},
		{"embedded pointer", func() pointers { return pointers{&inner{data}} }, `{"Data":{"__bin__":0}}`, [][]byte{data}},
		{"embedded pointer in any", func() any { return pointers{&inner{data}} }, `{"Data":{"__bin__":0}}`, [][]byte{data}},
		{"no embedded pointer", func() any { return []any{pointers{}, data} }, `[{},{"__bin__":0}]`, [][]byte{data}},
		{"hidden fields", func() any { return hiding{inner: inner{[]byte("secret")}, Last: data} }, `{"Last":{"__bin__":0}}`, [][]byte{data}},
		{"nothing but hidden fields", func() any { return hiding{inner: inner{[]byte("secret")}} }, `{"Last":null}`, nil},
		{"a byte array", func() [3]byte { return [3]byte{1, 2, 3} }, `[1,2,3]`, nil},
		{"raw message", func() any { return []any{json.RawMessage(`{ "__bin__" : 0 }`), data} },
			`[{"__bin__":0.0},{"__bin__":0}]`, [][]byte{data}},
		{"data like a placeholder", func() any { return map[string]int{"__bin__": 0} }, `{"__bin__":0}`, nil},
		{"data like a placeholder, and bytes", func() any { return []any{map[string]int{"__bin__": 0}, data} },
			`[{"__bin__":0.0},{"__bin__":0}]`, [][]byte{data}},
		{"marshalers", func() any { return []any{netip.MustParseAddr("::1"), time.Unix(0, 5).UTC(), textKey{"x"}} },
			`["::1","1970-01-01T00:00:00.000000005Z","x"]`, nil},
		{"big integers", func() any { return []any{int64(math.MaxInt64), uint64(math.MaxUint64)} },
			`[9223372036854775807,18446744073709551615]`, nil},
		{"negative zero", func() float64 { return math.Copysign(0, -1) }, `-0`, nil},
		{"not UTF-8", func() string { return "a\xffb" }, `"a\ufffdb"`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := invoke(t, test.function, `[]`)
			require.NoError(t, err)
			assert.Equal(t, test.json, string(result.JSON))
			assert.Equal(t, test.blobs, result.Blobs)
		})
	}
	assert.Equal(t, "data", string(data))
}

// What a function returns stays as it is: others may read it meanwhile.
func TestResultsAreNotChanged(t *testing.T) {
	data := []byte("data")
	pointer := &inner{data}
	value := map[string]any{"slice": []any{data, "x"}, "pointer": pointer, "map": map[string][]byte{"a": data}}
	_, err := invoke(t, func() any { return value }, `[]`)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"slice": []any{data, "x"}, "pointer": pointer, "map": map[string][]byte{"a": data},
	}, value)
	assert.Equal(t, inner{[]byte("data")}, *pointer)
}

func TestResultsThatDoNotFit(t *testing.T) {
	circle := &tree{}
	circle.Left, circle.Right = circle, circle
	endless := []any{nil}
	endless[0] = endless
	endlessBytes := []any{[]byte("x"), nil}
	endlessBytes[1] = endlessBytes
	failure := errors.New("no such thing")
	for _, test := range []struct {
		name     string
		function any
		text     string
	}{
		{"an error", func() error { return failure }, "no such thing"},
		{"an error and a value", func() (int, error) { return 1, failure }, "no such thing"},
		{"NaN", math.NaN, "result (float64): unsupported value: NaN"},
		{"infinity", func() float64 { return math.Inf(-1) }, "result (float64): unsupported value: -Inf"},
		{"a channel in any", func() any { return []any{make(chan int)} }, "result (interface {}): unsupported type: chan int"},
		{"a circle in any", func() any { return endless }, "result (interface {}): JSON nesting depth exceeds maximum (64)"},
		{"a circle behind bytes", func() any { return endlessBytes }, "result (interface {}): JSON nesting depth exceeds maximum (64)"},
		{"a wide circle in any", func() any { return circle }, "result (interface {}): JSON nesting depth exceeds maximum (64)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := invoke(t, test.function, `[]`)
			assert.EqualError(t, err, test.text)
		})
	}
	_, err := invoke(t, func() error { return failure }, `[]`)
	assert.Same(t, failure, err)
}

func TestRawValues(t *testing.T) {
	type message struct {
		Text string
		Data []byte
	}
	value, err := RawJSON(message{"x", []byte("data")})
	require.NoError(t, err)
	assert.Equal(t, RawValue{JSON: []byte(`{"Text":"x","Data":{"__bin__":0}}`), Blobs: [][]byte{[]byte("data")}}, value)
	var back message
	require.NoError(t, value.Unmarshal(&back))
	assert.Equal(t, message{"x", []byte("data")}, back)

	spaced := RawValue{JSON: []byte(` [ { "__bin__" : 0 } ] `), Blobs: [][]byte{[]byte("data")}}
	var items []any
	require.NoError(t, spaced.Unmarshal(&items))
	assert.Equal(t, []any{[]byte("data")}, items)

	null, err := RawJSON(nil)
	require.NoError(t, err)
	assert.Equal(t, "null", string(null.JSON))
	var anything any = 1
	require.NoError(t, RawValue{}.Unmarshal(&anything))
	assert.Nil(t, anything)

	for _, test := range []struct {
		into any
		text string
	}{
		{nil, "into is <nil>, not a pointer to something"},
		{message{}, "into is hyperlight.message, not a pointer to something"},
		{(*int)(nil), "into is *int, not a pointer to something"},
		{new(chan int), "chan int has no JSON"},
		{new(int), "int: got object"},
	} {
		err := value.Unmarshal(test.into)
		require.ErrorIs(t, err, ErrInvalidArgument)
		assert.Equal(t, test.text, err.(*Error).Message)
	}
	require.ErrorIs(t, RawValue{JSON: []byte("{")}.Unmarshal(&back), ErrInvalidArgument)
	for _, bad := range []any{make(chan int), math.NaN()} {
		_, err := RawJSON(bad)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
}
