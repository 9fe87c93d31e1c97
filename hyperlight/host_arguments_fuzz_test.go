package hyperlight

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// parcel is a parameter with a bit of everything.
type parcel struct {
	Name   string            `json:"name"`
	Data   []byte            `json:"data"`
	Pages  [][]byte          `json:"pages"`
	Extra  map[string]any    `json:"extra"`
	Raw    json.RawMessage   `json:"raw"`
	Own    packet            `json:"own"`
	Labels map[string]label  `json:"labels"`
	Next   *parcel           `json:"next"`
	Pair   [2]hash           `json:"pair"`
	Texts  map[string]string `json:"texts"`
	inner
}

// parameters are the types that FuzzHostArguments makes values of. Each can come from JavaScript.
var parameters = []reflect.Type{
	reflect.TypeFor[any](), reflect.TypeFor[[]byte](), reflect.TypeFor[string](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint8](), reflect.TypeFor[float64](), reflect.TypeFor[bool](), reflect.TypeFor[*int](),
	reflect.TypeFor[json.Number](), reflect.TypeFor[json.RawMessage](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[map[string][]byte](), reflect.TypeFor[[][]byte](), reflect.TypeFor[map[int]any](),
	reflect.TypeFor[[3]any](), reflect.TypeFor[*[]byte](), reflect.TypeFor[[]string](), reflect.TypeFor[parcel](),
	reflect.TypeFor[shipment](), reflect.TypeFor[packet](), reflect.TypeFor[map[textKey]hash](), reflect.TypeFor[octets](),
	reflect.TypeFor[map[string]json.RawMessage](), reflect.TypeFor[[]parcel](),
}

// A value is what a simple decoder makes of the same text, and has no bytes but those of blobs. Nobody ever sees a mark.
func FuzzHostArguments(f *testing.F) {
	for _, text := range []string{
		`null`, `1`, `-0`, `1e400`, `18446744073709551616`, `"text"`, `"AAAA"`, `[1,2]`, `true`, `{}`, `[[[[[[]]]]]]`,
		`{"__bin__":0}`, `{"__bin__":1}`, `{"__bin__":9}`, `{"__bin__":-1}`, `{"__bin__":0.0}`, `{"__bin__":"0"}`, `{"__bin__":0,"x":1}`,
		`{"\u005f_bin__":0}`, `[{"__bin__":0},{"__bin__":0},{"__bin__":1}]`, `{"a":{"__bin__":0},"a":"AAAA","b":null}`,
		`{"__bin__":{"__bin__":0}}`, `["{\"__bin__\":0}"]`, `"2026-01-02T03:04:05Z"`, `{"1":{"__bin__":0},"2":null}`,
		`{"name":"x","data":{"__bin__":0},"pages":[{"__bin__":1},null],"extra":{"a":[{"__bin__":1}]},"raw":[1],"Data":{"__bin__":1}}`,
		`{"name":{"__bin__":0}}`, `{"data":"AAAA"}`, `{"raw":{"__bin__":0}}`, `{"own":{"data":{"__bin__":0}}}`, `{"labels":{"x":{"__bin__":0}}}`,
		`{"next":{"next":{"next":{"data":{"__bin__":1}}}}}`, `{"pair":[{"__bin__":0},{"__bin__":1},{"__bin__":0}]}`, `{"texts":{"a":{"__bin__":0}}}`,
		`{"first":{"data":{"__bin__":0}},"rest":[{"data":null}]}`, strings.Repeat("[", 200) + strings.Repeat("]", 200),
	} {
		for kind := range parameters {
			f.Add(uint8(kind), []byte(text), []byte("zero one"), uint8(2))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, text, data []byte, count uint8) {
		param := parameters[int(kind)%len(parameters)]
		blobs, before := cut(data, int(count%8)), bytes.Clone(data)
		var compact bytes.Buffer
		if json.Compact(&compact, text) != nil {
			_, err := RawValue{JSON: text, Blobs: blobs}.convert(param)
			require.True(t, err != nil || len(text) == 0, "what is no JSON is refused")
			return
		}
		value, err := RawValue{JSON: text, Blobs: blobs}.convert(param)
		require.Equal(t, before, data, "blobs are not changed")
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidArgument)
			require.NotContains(t, err.Error(), markPrefix())
		} else {
			checkBytes(t, value, blobs)
			require.NotContains(t, fmt.Sprintf("%s", value.Interface()), markPrefix())
		}
		want, known := decodeSimply(param, compact.Bytes(), blobs)
		if !known {
			return
		}
		require.Equal(t, want.IsValid(), err == nil, "%s of %s: %v", param, text, err)
		if err == nil {
			require.Equal(t, want.Interface(), value.Interface(), "%s of %s", param, text)
		}
		// As one of many arguments it is the same.
		s := &signature{params: []inlet{newInlet(param)}, variadic: true}
		list := []byte("[" + compact.String() + "," + compact.String() + "]")
		arguments, failure := s.arguments(t.Context(), RawValue{JSON: list, Blobs: blobs})
		require.Equal(t, err == nil, failure == nil, failure)
		for _, argument := range arguments {
			require.Equal(t, value.Interface(), argument.Interface())
		}
	})
}

// convert is Unmarshal to a type that only this test knows.
func (v RawValue) convert(t reflect.Type) (reflect.Value, error) {
	target := reflect.New(t)
	err := v.Unmarshal(target.Interface())
	return target.Elem(), err
}

// cut makes so many blobs of bytes, of about the same length.
func cut(data []byte, count int) [][]byte {
	blobs := make([][]byte, count)
	for i := range blobs {
		from, to := i*len(data)/count, (i+1)*len(data)/count
		blobs[i] = data[from:to:to]
	}
	return blobs
}

// checkBytes wants each []byte in a value to be one of the blobs, in the same memory.
func checkBytes(t *testing.T, v reflect.Value, blobs [][]byte) {
	t.Helper()
	if isBytes(v.Type()) {
		if !v.IsNil() {
			requireOneOf(t, v.Bytes(), blobs)
		}
		return
	}
	if fromGuest.converts(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			checkBytes(t, v.Elem(), blobs)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			checkBytes(t, v.Index(i), blobs)
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			checkBytes(t, entries.Value(), blobs)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if inJSON(v.Type().Field(i)) {
				checkBytes(t, v.Field(i), blobs)
			}
		}
	}
}

func requireOneOf(t *testing.T, data []byte, blobs [][]byte) {
	t.Helper()
	for _, blob := range blobs {
		if len(blob) == len(data) && cap(blob) == cap(data) && unsafe.SliceData(blob) == unsafe.SliceData(data) {
			return
		}
	}
	require.Fail(t, "bytes that are no blob", "%x", data)
}

var placeholder = regexp.MustCompile(`^\{"__bin__":([0-9]+)\}$`)

// blobOf is the blob that compact JSON stands for.
func blobOf(text []byte, blobs [][]byte) (blob []byte, ok bool) {
	match := placeholder.FindSubmatch(text)
	if match == nil {
		return nil, false
	}
	index, err := strconv.ParseUint(string(match[1]), 10, 64)
	if err != nil || index >= uint64(len(blobs)) {
		return nil, false
	}
	return blobs[index], true
}

// decodeSimply is what the guest meant, for types whose rules are simple. The zero Value is a refusal; known says
// whether it knows.
func decodeSimply(t reflect.Type, text []byte, blobs [][]byte) (value reflect.Value, known bool) {
	blob, isBlob := blobOf(text, blobs)
	isNull := string(text) == "null"
	value = reflect.New(t).Elem()
	refused := reflect.Value{}
	switch {
	case t == reflect.TypeFor[any]():
		anything, err := decodeAny(text, blobs)
		if err != nil {
			return refused, true
		}
		if anything != nil {
			value.Set(reflect.ValueOf(anything))
		}
		return value, true
	case isBytes(t) && isBlob:
		value.SetBytes(blob)
		return value, true
	case isBytes(t):
		if isNull {
			return value, true
		}
		return refused, true
	case t == reflect.TypeFor[*int](), t.Kind() == reflect.Map && isNull, t == reflect.TypeFor[[]string]() && len(blobs) == 0:
	case isNumber(t.Kind()), t.Kind() == reflect.String && t != reflect.TypeFor[json.Number]():
		if isNull || isBlob {
			return refused, true
		}
	case t == reflect.TypeFor[map[string][]byte]():
		return decodeMap(text, blobs)
	default:
		return refused, false
	}
	if json.Unmarshal(text, value.Addr().Interface()) != nil {
		return refused, true
	}
	return value, true
}

// decodeMap is decodeSimply for map[string][]byte. encoding/json refuses bad text also where a later member hides it.
func decodeMap(text []byte, blobs [][]byte) (value reflect.Value, known bool) {
	members := map[string]json.RawMessage{}
	if json.Unmarshal(text, &members) != nil {
		return reflect.Value{}, true
	}
	if bytes.Count(text, []byte(`":`)) != len(members)+strings.Count(string(text), placeholderStart) {
		return reflect.Value{}, false
	}
	result := map[string][]byte{}
	for key, member := range members {
		blob, ok := blobOf(member, blobs)
		if !ok && string(member) != "null" {
			return reflect.Value{}, true
		}
		result[key] = blob
	}
	return reflect.ValueOf(result), true
}

// decodeAny is what encoding/json puts into an any, with blobs in the place of their placeholders.
func decodeAny(text []byte, blobs [][]byte) (any, error) {
	if blob, ok := blobOf(text, blobs); ok {
		return blob, nil
	}
	switch text[0] {
	case '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			return nil, err
		}
		result := map[string]any{}
		for key, member := range members {
			value, err := decodeAny(member, blobs)
			if err != nil {
				return nil, err
			}
			result[key] = value
		}
		return result, nil
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(text, &items); err != nil {
			return nil, err
		}
		result := []any{}
		for _, item := range items {
			value, err := decodeAny(item, blobs)
			if err != nil {
				return nil, err
			}
			result = append(result, value)
		}
		return result, nil
	}
	var value any
	err := json.Unmarshal(text, &value)
	return value, err
}
