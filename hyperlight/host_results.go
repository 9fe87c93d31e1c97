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
	scalar     bool // it may be plain
}

func newOutlet(t reflect.Type) outlet {
	return outlet{
		bytes:  isBytes(t),
		scalar: toGuest.isScalar(t),
		holdsBytes: mayHold(t, toGuest, func(t reflect.Type) bool {
			return isBytes(t) || t.Kind() == reflect.Interface
		}),
	}
}

func (out outlet) value(v reflect.Value) (RawValue, error) {
	if out.bytes && !v.IsNil() {
		return RawBytes(v.Bytes()), nil
	}
	if out.scalar {
		if text, ok := writeScalar(v); ok {
			return RawValue{JSON: text}, nil
		}
	}
	var blobs [][]byte
	if out.holdsBytes {
		var search search
		if search.finds(v); search.tooDeep {
			return RawValue{}, errTooDeep
		}
		if search.found {
			var marker marker
			v = settable(v)
			if marker.mark(v); marker.tooDeep {
				return RawValue{}, errTooDeep
			}
			blobs = marker.blobs
		}
	}
	text, err := encodeJSON(v.Interface())
	if err != nil {
		return RawValue{}, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if len(blobs) > 0 {
		text, blobs = placeholdersForMarks(text, blobs)
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

// errTooDeep is also for values that contain themselves. Upstream's words.
var errTooDeep = errors.New("JSON nesting depth exceeds maximum (64)")

// deepest bounds how deep a value is looked into. The guest takes 64, but pointers and interfaces count here.
const deepest = 500

// search looks for Uint8Arrays in a value.
type search struct {
	depth          int
	found, tooDeep bool
}

// finds ends the search once the outcome is known.
func (s *search) finds(v reflect.Value) {
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

// marker replaces the Uint8Arrays in a value by marks, and collects them in blobs.
type marker struct {
	blobs   [][]byte
	depth   int
	tooDeep bool
}

// mark changes v, a copy of the user's value, but nothing that it refers to: that is copied in its turn.
func (m *marker) mark(v reflect.Value) {
	if m.depth++; m.depth > deepest {
		m.tooDeep = true
	}
	defer func() { m.depth-- }()
	if m.tooDeep || !isComposite(v) || toGuest.converts(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		elem := settable(v.Elem())
		m.mark(elem)
		v.Set(elem)
	case reflect.Pointer:
		if !v.CanSet() {
			// An embedded pointer to an unexported struct, whose exported fields are in JSON.
			v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem()
		}
		elem := settable(v.Elem())
		m.mark(elem)
		v.Set(elem.Addr())
	case reflect.Slice:
		if isBytes(v.Type()) {
			m.blobs = append(m.blobs, v.Bytes())
			v.SetBytes(mark(len(m.blobs) - 1))
			return
		}
		items := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(items, v)
		v.Set(items)
		m.markItems(v)
	case reflect.Array:
		m.markItems(v)
	case reflect.Map:
		copied := reflect.MakeMapWithSize(v.Type(), v.Len())
		for entries := v.MapRange(); entries.Next(); {
			value := settable(entries.Value())
			m.mark(value)
			copied.SetMapIndex(entries.Key(), value)
		}
		v.Set(copied)
	case reflect.Struct:
		for i := range v.NumField() {
			field, value := v.Type().Field(i), v.Field(i)
			if !inJSON(field) || omitsEmpty(field) && isBytes(field.Type) && value.Len() == 0 {
				continue
			}
			m.mark(value)
		}
	}
}

func (m *marker) markItems(v reflect.Value) {
	for i := range v.Len() {
		m.mark(v.Index(i))
	}
}

// settable is a copy of v that can be changed.
func settable(v reflect.Value) reflect.Value {
	copied := reflect.New(v.Type()).Elem()
	copied.Set(v)
	return copied
}
