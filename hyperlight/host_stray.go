package hyperlight

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

// A type that converts itself from JSON would get the mark of a Uint8Array, which means nothing to it: its own
// []byte field, say, would become the mark. So no Uint8Array gets there.

var errStray = errors.New("got Uint8Array inside, in a type with UnmarshalJSON or UnmarshalText")

// isOpaque says whether a type converts itself, so that nobody can put a blob where its mark is.
func isOpaque(t reflect.Type) bool {
	return t != rawMessage && !isBytes(t) && fromGuest.converts(t)
}

// checkStrays finds marks in what will go to types that convert themselves.
func checkStrays(t reflect.Type, text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	if strays(t, value) {
		return errStray
	}
	return nil
}

func strays(t reflect.Type, value any) bool {
	if isOpaque(t) {
		return holdsMark(value)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return strays(t.Elem(), value)
	case reflect.Slice, reflect.Array:
		items, _ := value.([]any)
		for _, item := range items {
			if strays(t.Elem(), item) {
				return true
			}
		}
	case reflect.Map:
		members, _ := value.(map[string]any)
		for _, member := range members {
			if strays(t.Elem(), member) {
				return true
			}
		}
	case reflect.Struct:
		members, _ := value.(map[string]any)
		fields := reflect.VisibleFields(t)
		for key, member := range members {
			if field := fieldFor(fields, key); field != nil && strays(field, member) {
				return true
			}
		}
	}
	return false
}

// fieldFor is the type of the field that encoding/json puts a member of an object into: of those with its name
// the one that is embedded least deeply, whatever their case. nil is none.
func fieldFor(fields []reflect.StructField, key string) reflect.Type {
	var found *reflect.StructField
	for _, field := range fields {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		if !field.IsExported() || field.Tag.Get("json") == "-" || !strings.EqualFold(name, key) {
			continue
		}
		if found == nil || len(field.Index) < len(found.Index) {
			found = &field
		}
	}
	if found == nil {
		return nil
	}
	return found.Type
}

func holdsMark(value any) bool {
	switch value := value.(type) {
	case string:
		_, ok := markOfText(value)
		return ok
	case []any:
		for _, item := range value {
			if holdsMark(item) {
				return true
			}
		}
	case map[string]any:
		for _, member := range value {
			if holdsMark(member) {
				return true
			}
		}
	}
	return false
}
