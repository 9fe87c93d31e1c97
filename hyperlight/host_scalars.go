package hyperlight

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// Most arguments and results are numbers, booleans and short texts. encoding/json takes thousands of instructions to find
// that out, each time, so these are read and written here. Whatever is not plain is left to encoding/json, and so is every
// error: what it decides holds here too (TestScalarsAreThoseOfEncodingJSON).

// isScalar says whether values of a type may be plain.
func (d direction) isScalar(t reflect.Type) bool {
	switch kind := t.Kind(); {
	case d.converts(t), t == reflect.TypeFor[json.Number]():
		return false
	default:
		return isNumber(kind) || kind == reflect.String
	}
}

// splitArguments finds the items of a JSON array without white space, as the library writes it. It fails for anything else.
func splitArguments(text []byte, items [][]byte) ([][]byte, bool) {
	if len(text) < 2 || text[0] != '[' || text[len(text)-1] != ']' {
		return nil, false
	}
	text = text[1 : len(text)-1]
	if len(text) == 0 {
		return items, true
	}
	depth, begin := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := bytes.IndexByte(text[i+1:], '"')
			if end >= 0 && bytes.IndexByte(text[i+1:i+1+end], '\\') < 0 {
				i += end + 1
			} else {
				i += endOfString(text[i:]) - 1
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 {
				items = append(items, text[begin:i])
				begin = i + 1
			}
		}
	}
	return append(items, text[begin:]), depth == 0
}

// readScalar sets value to what a JSON text is, if both are plain. It fails for everything else, and then has done nothing.
func readScalar(value reflect.Value, text []byte) bool {
	if len(text) == 0 {
		return false
	}
	switch kind := value.Kind(); kind {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		number, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil || value.OverflowInt(number) {
			return false
		}
		value.SetInt(number)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		number, err := strconv.ParseUint(string(text), 10, 64)
		if err != nil || value.OverflowUint(number) {
			return false
		}
		value.SetUint(number)
	case reflect.Float64:
		number, err := strconv.ParseFloat(string(text), 64)
		if err != nil {
			return false
		}
		value.SetFloat(number)
	case reflect.Bool:
		switch string(text) {
		case "true":
			value.SetBool(true)
		case "false":
			value.SetBool(false)
		default:
			return false
		}
	case reflect.String:
		if len(text) < 2 || text[0] != '"' || bytes.IndexByte(text, '\\') >= 0 || !utf8.Valid(text) {
			return false
		}
		value.SetString(string(text[1 : len(text)-1]))
	default:
		return false
	}
	return true
}

// writeScalar is the JSON of a plain value. It fails for everything else.
func writeScalar(value reflect.Value) ([]byte, bool) {
	switch value.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(make([]byte, 0, 24), value.Int(), 10), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(make([]byte, 0, 24), value.Uint(), 10), true
	case reflect.Float64:
		// Where encoding/json writes no exponent.
		if size := math.Abs(value.Float()); size == 0 || 1e-6 <= size && size < 1e21 {
			return strconv.AppendFloat(make([]byte, 0, 24), value.Float(), 'f', -1, 64), true
		}
	case reflect.Bool:
		return strconv.AppendBool(make([]byte, 0, 8), value.Bool()), true
	case reflect.String:
		text := value.String()
		for i := range len(text) {
			if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
				return nil, false
			}
		}
		quoted := make([]byte, 0, len(text)+2)
		return append(append(append(quoted, '"'), text...), '"'), true
	}
	return nil, false
}
