package hyperlight

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

// outlet makes what the guest gets from Go values of one type.
type outlet struct {
	bytes      bool // it is a Uint8Array
	holdsBytes bool // there may be Uint8Arrays in it
}

func newOutlet(t reflect.Type) outlet {
	return outlet{
		bytes: isBytes(t),
		holdsBytes: mayHold(t, toGuest, func(t reflect.Type) bool {
			return isBytes(t) || t.Kind() == reflect.Interface
		}),
	}
}

func (out outlet) value(v reflect.Value) (RawValue, error) {
	if out.bytes && !v.IsNil() {
		return RawBytes(v.Bytes()), nil
	}
	var blobs [][]byte
	if out.holdsBytes {
		var search search
		if search.finds(v); search.tooDeep {
			// So is a value that contains itself. Upstream's words.
			return RawValue{}, errors.New("JSON nesting depth exceeds maximum (64)")
		}
		if search.found {
			copied := reflect.New(v.Type()).Elem()
			copied.Set(v)
			blobs = markBytes(copied, nil)
			v = copied
		}
	}
	text, err := encodeJSON(v.Interface())
	if err != nil {
		return RawValue{}, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if len(blobs) > 0 {
		text = placeholdersForMarks(text)
	}
	return RawValue{JSON: text, Blobs: blobs}, nil
}

// encodeJSON is json.Marshal without escapes for the sake of HTML.
func encodeJSON(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// search looks for Uint8Arrays in a value.
type search struct {
	depth          int
	found, tooDeep bool
}

// finds ends the search once the outcome is known.
func (s *search) finds(v reflect.Value) {
	const deepest = 500 // The guest takes 64, but pointers and interfaces count here.
	if s.depth++; s.depth > deepest {
		s.tooDeep = true
	}
	defer func() { s.depth-- }()
	if s.found || s.tooDeep || !isComposite(v) || toGuest.converts(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		s.finds(v.Elem())
	case reflect.Slice, reflect.Array:
		if isBytes(v.Type()) {
			s.found = true
			return
		}
		if elem := v.Type().Elem().Kind(); isNumber(elem) || elem == reflect.String {
			return
		}
		for i := range v.Len() {
			s.finds(v.Index(i))
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			s.finds(entries.Value())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if inJSON(v.Type().Field(i)) {
				s.finds(v.Field(i))
			}
		}
	}
}

// isComposite says whether there can be something in a value.
func isComposite(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map:
		return !v.IsNil()
	case reflect.Array, reflect.Struct:
		return true
	}
	return false
}

// markBytes replaces the Uint8Arrays in v by marks, and appends them to blobs. It changes v, a copy of the
// user's value, but nothing that it refers to: that is copied in its turn.
func markBytes(v reflect.Value, blobs [][]byte) [][]byte {
	if !isComposite(v) || toGuest.converts(v.Type()) {
		return blobs
	}
	switch v.Kind() {
	case reflect.Interface:
		elem := settable(v.Elem())
		blobs = markBytes(elem, blobs)
		v.Set(elem)
	case reflect.Pointer:
		elem := settable(v.Elem())
		blobs = markBytes(elem, blobs)
		v.Set(elem.Addr())
	case reflect.Slice:
		if isBytes(v.Type()) {
			blobs = append(blobs, v.Bytes())
			v.SetBytes(mark(len(blobs) - 1))
			return blobs
		}
		items := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(items, v)
		v.Set(items)
		blobs = markItems(v, blobs)
	case reflect.Array:
		blobs = markItems(v, blobs)
	case reflect.Map:
		copied := reflect.MakeMapWithSize(v.Type(), v.Len())
		for entries := v.MapRange(); entries.Next(); {
			value := settable(entries.Value())
			blobs = markBytes(value, blobs)
			copied.SetMapIndex(entries.Key(), value)
		}
		v.Set(copied)
	case reflect.Struct:
		for i := range v.NumField() {
			field, value := v.Type().Field(i), v.Field(i)
			if !inJSON(field) || omitsEmpty(field) && isBytes(field.Type) && value.Len() == 0 {
				continue
			}
			blobs = markBytes(value, blobs)
		}
	}
	return blobs
}

func markItems(v reflect.Value, blobs [][]byte) [][]byte {
	for i := range v.Len() {
		blobs = markBytes(v.Index(i), blobs)
	}
	return blobs
}

// settable is a copy of v that can be changed.
func settable(v reflect.Value) reflect.Value {
	copied := reflect.New(v.Type()).Elem()
	copied.Set(v)
	return copied
}
