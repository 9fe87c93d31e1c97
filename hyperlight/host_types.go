package hyperlight

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	rawMessage      = reflect.TypeFor[json.RawMessage]()
	rawValue        = reflect.TypeFor[RawValue]()
)

// direction is where values of a type go.
type direction int

const (
	fromGuest direction = iota
	toGuest
)

// converts says whether a type converts itself, so that what it is made of does not matter.
func (d direction) converts(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	if d == fromGuest {
		return pointer.Implements(jsonUnmarshaler) || pointer.Implements(textUnmarshaler)
	}
	return pointer.Implements(jsonMarshaler) || pointer.Implements(textMarshaler)
}

// isBytes says whether values of a type are Uint8Arrays: what encoding/json would make base64 of.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 &&
		!fromGuest.converts(t) && !toGuest.converts(t) && !fromGuest.converts(t.Elem()) && !toGuest.converts(t.Elem())
}

// typeCheck walks through a type once.
type typeCheck struct {
	direction
	seen map[reflect.Type]bool
}

// whyUnsupported says what in a type encoding/json cannot convert, or "".
func whyUnsupported(t reflect.Type, d direction) string {
	return typeCheck{d, map[reflect.Type]bool{}}.problem(t)
}

func (c typeCheck) problem(t reflect.Type) string {
	if c.seen[t] || c.converts(t) {
		return ""
	}
	c.seen[t] = true
	if t == rawValue {
		return fmt.Sprintf("%s is for RegisterRaw", t)
	}
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return fmt.Sprintf("%s has no JSON", t)
	case reflect.Interface:
		if c.direction == fromGuest && t.NumMethod() > 0 {
			return fmt.Sprintf("%s is an interface with methods, so it is unknown what to make", t)
		}
	case reflect.Map:
		if !c.isKey(t.Key()) {
			return fmt.Sprintf("%s has keys that are no strings", t)
		}
		return c.problem(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return c.problem(t.Elem())
	case reflect.Struct:
		return c.fieldProblem(t)
	}
	return ""
}

func (c typeCheck) fieldProblem(t reflect.Type) string {
	for field := range t.Fields() {
		if !inJSON(field) {
			continue
		}
		// encoding/json reads through such a pointer, but cannot set it.
		if embedded := field.Type; c.direction == fromGuest && field.Anonymous && !field.IsExported() && embedded.Kind() == reflect.Pointer {
			return fmt.Sprintf("%s embeds a pointer to the unexported %s", t, embedded.Elem())
		}
		if problem := c.problem(field.Type); problem != "" {
			return fmt.Sprintf("field %s of %s: %s", field.Name, t, problem)
		}
	}
	return ""
}

// isKey says whether encoding/json takes a type for keys of a map.
func (c typeCheck) isKey(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return true
	}
	if c.direction == fromGuest {
		return reflect.PointerTo(t).Implements(textUnmarshaler)
	}
	return t.Implements(textMarshaler)
}

// inJSON says whether encoding/json looks at a field.
func inJSON(field reflect.StructField) bool {
	if field.Tag.Get("json") == "-" {
		return false
	}
	return field.IsExported() || field.Anonymous && indirect(field.Type).Kind() == reflect.Struct
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// omitsEmpty says whether a field is left out when it is empty.
func omitsEmpty(field reflect.StructField) bool {
	_, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	for option := range strings.SplitSeq(options, ",") {
		if option == "omitempty" {
			return true
		}
	}
	return false
}

// mayHold says whether there is something in a type for which is says so. Types that convert
// themselves are not looked into.
func mayHold(t reflect.Type, d direction, is func(reflect.Type) bool) bool {
	seen := map[reflect.Type]bool{}
	var look func(t reflect.Type) bool
	look = func(t reflect.Type) bool {
		if seen[t] {
			return false
		}
		seen[t] = true
		switch {
		case is(t):
			return true
		case d.converts(t):
			return false
		}
		switch t.Kind() {
		case reflect.Map, reflect.Pointer, reflect.Slice, reflect.Array:
			return look(t.Elem())
		case reflect.Struct:
			for field := range t.Fields() {
				if inJSON(field) && look(field.Type) {
					return true
				}
			}
		}
		return false
	}
	return look(t)
}
