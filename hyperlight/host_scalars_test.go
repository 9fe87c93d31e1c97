package hyperlight

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type (
	textOfOurs   string
	numberOfOurs int16
)

// shouts converts itself, so it is no plain text.
type shouts string

func (s shouts) MarshalText() ([]byte, error) { return []byte(strings.ToUpper(string(s))), nil }

func (s *shouts) UnmarshalText(text []byte) error {
	*s = shouts(strings.ToUpper(string(text)))
	return nil
}

var scalarTypes = []reflect.Type{
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[bool](), reflect.TypeFor[string](),
	reflect.TypeFor[textOfOurs](), reflect.TypeFor[numberOfOurs](), reflect.TypeFor[shouts](), reflect.TypeFor[json.Number](),
	reflect.TypeFor[any](), reflect.TypeFor[*int](), reflect.TypeFor[[]int](),
}

// What is read and written here is what encoding/json would make of it, errors included.
func TestScalarsAreThoseOfEncodingJSON(t *testing.T) {
	texts := []string{
		"0", "-0", "1", "-1", "127", "128", "-128", "-129", "255", "256", "65536", "2147483648", "4294967296",
		"9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615",
		"18446744073709551616", "0.5", "1.0", "1e3", "1E400", "-1e-7", "0.1", "1e21", "5e-324", "true", "false", "null",
		`""`, `"a"`, `"true"`, `"1"`, `"ä€😀"`, `"a\nb"`, `"\u0041"`, `"\ud800"`, "\"\xff\"", `"<&>"`, `"null"`, `{}`, `[]`, `[1]`, `{"a":1}`,
	}
	for _, kind := range scalarTypes {
		in := newInlet(kind)
		slow := in
		slow.scalar = false
		for _, text := range texts {
			got, err := in.value([]byte(text), nil)
			expected, expectedErr := slow.value([]byte(text), nil)
			what := fmt.Sprintf("%s for %s", text, kind)
			if expectedErr != nil {
				assert.EqualError(t, err, expectedErr.Error(), what)
				continue
			}
			require.NoError(t, err, what)
			assert.Equal(t, expected.Interface(), got.Interface(), what)
		}
	}
	for _, value := range []any{
		0, 1, -1, math.MaxInt64, math.MinInt64, uint64(math.MaxUint64), int8(-128), uint8(255), true, false, "", "text", "a\"b", `\`,
		"\n", "\x7f", "ä", "\xff", "<&>", "\u2028", 0.0, math.Copysign(0, -1), 0.1, 1e-6, 9.9e-7, 1e20, 1e21, 123456789.125, 5e-324,
		math.MaxFloat64, math.NaN(), math.Inf(1), float32(0.1), textOfOurs("ours"), numberOfOurs(7), shouts("loud"), json.Number("12"),
	} {
		v := reflect.ValueOf(value)
		out := newOutlet(v.Type())
		slow := out
		slow.scalar = false
		got, err := out.value(v)
		expected, expectedErr := slow.value(v)
		what := fmt.Sprintf("%T %v", value, value)
		if expectedErr != nil {
			assert.EqualError(t, err, expectedErr.Error(), what)
			continue
		}
		require.NoError(t, err, what)
		assert.Equal(t, string(expected.JSON), string(got.JSON), what)
		assert.Empty(t, got.Blobs, what)
	}
}

func TestSplitArguments(t *testing.T) {
	for text, expected := range map[string][]string{
		`[]`:                                {},
		`[1]`:                               {"1"},
		`[1,"a,b",null]`:                    {"1", `"a,b"`, "null"},
		`["\"",",\\","]"]`:                  {`"\""`, `",\\"`, `"]"`},
		`[[1,2],{"a":[3,4],"b,":"}"},true]`: {"[1,2]", `{"a":[3,4],"b,":"}"}`, "true"},
		`[{"__bin__":0},{"__bin__":1}]`:     {`{"__bin__":0}`, `{"__bin__":1}`},
		`["é","\ud83d\ude00",1.5e3]`:        {`"é"`, `"\ud83d\ude00"`, "1.5e3"},
		`[1,2,3,4,5,6,7,8,9,10]`:            {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"},
	} {
		require.True(t, json.Valid([]byte(text)), text)
		var few [2][]byte
		items, ok := splitArguments([]byte(text), few[:0])
		require.True(t, ok, text)
		got := make([]string, len(items))
		for i, item := range items {
			got[i] = string(item)
		}
		assert.Equal(t, expected, got)
	}
	for _, text := range []string{"", "[", "]", "1", "{}", "null", "[[]", "[}]"} {
		_, ok := splitArguments([]byte(text), nil)
		assert.False(t, ok, text)
	}
}
