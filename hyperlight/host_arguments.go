package hyperlight

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// inlet makes Go values of one type from what the guest sends.
type inlet struct {
	kind     reflect.Type
	bytes    bool // it is a Uint8Array
	nullable bool // null means something to it
	scalar   bool // it may be plain
	// Whether there may be Uint8Arrays in it, and whether there may be something in it that takes one
	// by mistake: text, or a type that converts itself.
	holdsBytes, holdsText, holdsOpaque bool
}

func newInlet(t reflect.Type) inlet {
	in := inlet{kind: t, bytes: isBytes(t), scalar: fromGuest.isScalar(t)}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		in.nullable = true
	default:
		in.nullable = reflect.PointerTo(t).Implements(jsonUnmarshaler)
	}
	in.holdsBytes = mayHold(t, fromGuest, isBytes)
	in.holdsText = mayHold(t, fromGuest, func(t reflect.Type) bool {
		return t.Kind() == reflect.String || t.Kind() == reflect.Interface || t == rawMessage
	})
	in.holdsOpaque = mayHold(t, fromGuest, isOpaque)
	return in
}

// value makes a Go value of JSON without white space and the blobs of its call.
func (in inlet) value(text []byte, blobs [][]byte) (reflect.Value, error) {
	target := reflect.New(in.kind)
	value := target.Elem()
	if in.scalar && readScalar(value, text) {
		return value, nil
	}
	isNull := string(text) == "null"
	if isNull && !in.nullable {
		return value, errors.New("got null")
	}
	index, isBlob := isPlaceholder(text, len(blobs))
	if in.bytes {
		switch {
		case isBlob:
			value.SetBytes(blobs[index])
		case !isNull:
			return value, notBytes(text)
		}
		return value, nil
	}
	if len(blobs) > 0 {
		text = marksForPlaceholders(text, len(blobs))
	}
	if err := json.Unmarshal(text, target.Interface()); err != nil {
		return value, conversionError(err, isBlob, len(blobs) > 0)
	}
	if in.holdsOpaque && containsMark(text) {
		if err := checkStrays(in.kind, text); err != nil {
			return value, err
		}
	}
	if in.holdsBytes || in.holdsText && len(blobs) > 0 {
		return value, resolve(value, blobs)
	}
	return value, nil
}

// notBytes says what came instead of a Uint8Array.
func notBytes(text []byte) error {
	kind := "number"
	switch text[0] {
	case '"':
		kind = "string"
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	case 't', 'f':
		kind = "bool"
	}
	return fmt.Errorf("got %s, not a Uint8Array", kind)
}

// conversionError puts encoding/json's reasons into the guest's terms.
func conversionError(err error, isBlob, hasBlobs bool) error {
	var mismatch *json.UnmarshalTypeError
	switch {
	case isBlob:
		return errors.New("got Uint8Array")
	case !errors.As(err, &mismatch):
		text := strings.TrimPrefix(err.Error(), "json: ")
		if containsMark([]byte(text)) {
			text = "got Uint8Array"
		}
		return errors.New(text)
	case mismatch.Field == "":
		return fmt.Errorf("got %s", mismatch.Value)
	case mismatch.Value == "string" && hasBlobs:
		return fmt.Errorf("field %s (%s): got string or Uint8Array", mismatch.Field, mismatch.Type)
	default:
		return fmt.Errorf("field %s (%s): got %s", mismatch.Field, mismatch.Type, mismatch.Value)
	}
}

var errBytesForText = errors.New("got Uint8Array inside, where text is wanted")

// resolve puts blobs where their marks are, and refuses what encoding/json lets pass: text or an array
// for bytes, the mark of a blob for text.
func resolve(v reflect.Value, blobs [][]byte) error {
	t := v.Type()
	switch {
	case isBytes(t):
		return resolveBytes(v, blobs)
	case t == rawMessage:
		if containsMark(v.Bytes()) {
			return errBytesForText
		}
		return nil
	case fromGuest.converts(t):
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		if _, ok := markOfText(v.String()); ok {
			return errBytesForText
		}
	case reflect.Interface:
		if !v.IsNil() {
			v.Set(reflect.ValueOf(resolveAny(v.Interface(), blobs)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return resolve(v.Elem(), blobs)
		}
	case reflect.Slice, reflect.Array:
		if isNumber(t.Elem().Kind()) {
			return nil
		}
		for i := range v.Len() {
			if err := resolve(v.Index(i), blobs); err != nil {
				return err
			}
		}
	case reflect.Map:
		return resolveMap(v, blobs)
	case reflect.Struct:
		for i := range v.NumField() {
			if !inJSON(t.Field(i)) {
				continue
			}
			if err := resolve(v.Field(i), blobs); err != nil {
				return fmt.Errorf("field %s: %w", t.Field(i).Name, err)
			}
		}
	}
	return nil
}

// isNumber says whether there is nothing to resolve in values of a kind.
func isNumber(kind reflect.Kind) bool { return reflect.Bool <= kind && kind <= reflect.Complex128 }

func resolveBytes(v reflect.Value, blobs [][]byte) error {
	if v.IsNil() {
		return nil
	}
	index, ok := markOf(v.Bytes())
	if !ok || index >= len(blobs) {
		return errors.New("got string or array inside, where a Uint8Array is wanted")
	}
	v.SetBytes(blobs[index])
	return nil
}

// resolveMap works on copies, since what is in a map cannot be set.
func resolveMap(v reflect.Value, blobs [][]byte) error {
	for entries := v.MapRange(); entries.Next(); {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(entries.Value())
		if err := resolve(value, blobs); err != nil {
			return err
		}
		v.SetMapIndex(entries.Key(), value)
	}
	return nil
}

// resolveAny is resolve for what encoding/json puts into an any, where everything is welcome.
func resolveAny(value any, blobs [][]byte) any {
	switch value := value.(type) {
	case string:
		if index, ok := markOfText(value); ok && index < len(blobs) {
			return blobs[index]
		}
	case []any:
		for i := range value {
			value[i] = resolveAny(value[i], blobs)
		}
	case map[string]any:
		for key := range value {
			value[key] = resolveAny(value[key], blobs)
		}
	}
	return value
}
