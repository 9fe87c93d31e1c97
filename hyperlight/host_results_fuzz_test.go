package hyperlight

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a function returns arrives in the guest as it was, whatever in it looks like a Uint8Array and is none, and
// comes back as it was.
func FuzzHostResults(f *testing.F) {
	for _, text := range []string{
		`null`, `7`, `"<text>"`, `"@"`, `["@","@",["@"]]`, `{"a":"@","b":{"__bin__":0}}`, `{"__bin__":0}`, `{"__bin__":"@"}`,
		`{"\u005f_bin__":0}`, `[{"__bin__":0},{"__bin__":1},{"__bin__":-1},{"__bin__":1e3},{"__bin__":0.0},"@"]`,
		`{"a":{"__bin__":18446744073709551616},"b":"@"}`, `["\"__bin__\":0","\\","@"]`, `{"\"__bin__\"":1,"":"@"}`,
		`{"__bin__":0,"x":"@"}`, `["\ud800","\u2028","@"]`, strings.Repeat(`[`, 70) + `"@"` + strings.Repeat(`]`, 70),
		strings.Repeat(`[`, 600) + `"@"` + strings.Repeat(`]`, 600),
	} {
		f.Add([]byte(text), []byte("zero one"), uint8(3))
		f.Add([]byte(text), []byte{}, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text, data []byte, count uint8) {
		var value any
		if json.Unmarshal(text, &value) != nil {
			return
		}
		blobs := cut(data, int(count%8))
		given := withBlobs(value, &blobs)
		copied, before := deepCopy(given), bytes.Clone(data)

		type wrapped struct {
			Value   any
			Pointer *any
			List    []any
			Bytes   []byte `json:",omitempty"`
			hidden  any
		}
		for _, result := range []struct{ given, guest any }{
			{given, given},
			{[]any{given, json.RawMessage(text)}, []any{given, plain(text)}},
			{
				wrapped{given, &given, []any{given}, data, given},
				map[string]any{"Value": given, "Pointer": given, "List": []any{given}, "Bytes": data},
			},
		} {
			raw, err := RawJSON(result.given)
			require.Equal(t, copied, given, "what a function returns is not changed")
			require.Equal(t, before, data)
			if err != nil {
				require.ErrorContains(t, err, errTooDeep.Error())
				require.Greater(t, depth(given), deepest/3)
				continue
			}
			require.NotContains(t, string(raw.JSON), markPrefix())
			guest := guestValue(t, raw)
			if members, ok := result.guest.(map[string]any); ok && len(data) == 0 && reflect.TypeOf(result.given) == reflect.TypeFor[wrapped]() {
				delete(members, "Bytes")
			}
			require.Equal(t, sum(result.guest), sum(guest), "%s", raw.JSON)

			var back any
			require.NoError(t, raw.Unmarshal(&back))
			require.Equal(t, sum(guest), sum(back), "%s", raw.JSON)
		}
	})
}

// withBlobs replaces each "@" in a value by the next blob.
func withBlobs(value any, blobs *[][]byte) any {
	switch value := value.(type) {
	case string:
		if value == "@" && len(*blobs) > 0 {
			blob := (*blobs)[0]
			*blobs = (*blobs)[1:]
			return blob
		}
	case []any:
		for i := range value {
			value[i] = withBlobs(value[i], blobs)
		}
	case map[string]any:
		for key := range value {
			value[key] = withBlobs(value[key], blobs)
		}
	}
	return value
}

// plain is what JSON without Uint8Arrays says.
func plain(text []byte) (value any) {
	_ = json.Unmarshal(text, &value)
	return value
}

func deepCopy(value any) any {
	switch value := value.(type) {
	case []byte:
		return append([]byte{}, value...)
	case []any:
		copied := make([]any, len(value))
		for i := range value {
			copied[i] = deepCopy(value[i])
		}
		return copied
	case map[string]any:
		copied := map[string]any{}
		for key := range value {
			copied[key] = deepCopy(value[key])
		}
		return copied
	}
	return value
}

func depth(value any) int {
	deepest := 0
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			deepest = max(deepest, depth(item))
		}
	case map[string]any:
		for _, member := range value {
			deepest = max(deepest, depth(member))
		}
	}
	return deepest + 1
}

// guestValue is what upstream's guest makes of a result: an object with __bin__ alone is a Uint8Array if that is
// an integer that is not negative, and the index of a blob. It takes no other integer for one.
func guestValue(t *testing.T, raw RawValue) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw.JSON))
	decoder.UseNumber()
	var value any
	require.NoError(t, decoder.Decode(&value))
	used := make([]bool, len(raw.Blobs))
	value = guestBlobs(t, value, raw.Blobs, used)
	require.NotContains(t, used, false, "the guest gets only what the result names")
	return value
}

func guestBlobs(t *testing.T, value any, blobs [][]byte, used []bool) any {
	switch value := value.(type) {
	case json.Number:
		number, err := value.Float64()
		require.NoError(t, err)
		return number
	case []any:
		for i := range value {
			value[i] = guestBlobs(t, value[i], blobs, used)
		}
	case map[string]any:
		if number, ok := value["__bin__"].(json.Number); ok && len(value) == 1 && len(blobs) > 0 && isInteger([]byte(number)) {
			index, err := number.Int64()
			require.NoError(t, err)
			require.Less(t, index, int64(len(blobs)))
			used[index] = true
			return blobs[index]
		}
		for key := range value {
			value[key] = guestBlobs(t, value[key], blobs, used)
		}
	}
	return value
}

// sum is a value in a form that can be compared: nil bytes are as good as empty ones.
func sum(value any) any {
	if data, ok := value.([]byte); ok {
		return "bytes " + string(data)
	}
	switch value := value.(type) {
	case []any:
		all := make([]any, len(value))
		for i := range value {
			all[i] = sum(value[i])
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for key := range value {
			all[key] = sum(value[key])
		}
		return all
	}
	return value
}
