package hyperlight

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// signature is a Go function and all that can be found out about it before it is called.
type signature struct {
	function    reflect.Value
	takesCtx    bool
	params      []inlet // the last one of a variadic function is that of its items
	variadic    bool
	result      *outlet // nil if it has none
	returnsFail bool
}

// newSignature looks at a function; problem says why it cannot be a host function.
func newSignature(function any) (s *signature, problem string) {
	value := reflect.ValueOf(function)
	switch {
	case value.Kind() != reflect.Func:
		return nil, fmt.Sprintf("it is %s, not a function", describeType(value))
	case value.IsNil():
		return nil, fmt.Sprintf("it is a nil %s", value.Type())
	}
	s = &signature{function: value, variadic: value.Type().IsVariadic()}
	if problem := s.readParams(value.Type()); problem != "" {
		return nil, problem
	}
	return s, s.readResults(value.Type())
}

func describeType(value reflect.Value) string {
	if !value.IsValid() {
		return "nil"
	}
	return value.Type().String()
}

func (s *signature) readParams(t reflect.Type) string {
	for i := range t.NumIn() {
		param := t.In(i)
		if param == contextType {
			if i > 0 {
				return fmt.Sprintf("parameter %d is a context.Context, which must come first", i+1)
			}
			s.takesCtx = true
			continue
		}
		if s.variadic && i == t.NumIn()-1 {
			param = param.Elem()
		}
		if problem := whyUnsupported(param, fromGuest); problem != "" {
			return fmt.Sprintf("parameter %d (%s) cannot come from JavaScript: %s", i+1, param, problem)
		}
		s.params = append(s.params, newInlet(param))
	}
	return ""
}

func (s *signature) readResults(t reflect.Type) string {
	results := t.NumOut()
	if results > 0 && t.Out(results-1) == errorType {
		s.returnsFail = true
		results--
	}
	switch {
	case t.NumOut() > 2:
		return fmt.Sprintf("it has %d results; expected none, T, error, or (T, error)", t.NumOut())
	case results == 2:
		return fmt.Sprintf("its second result is %s, not error", t.Out(1))
	case results == 0:
		return ""
	}
	result := t.Out(0)
	if problem := whyUnsupported(result, toGuest); problem != "" {
		return fmt.Sprintf("its result (%s) cannot go to JavaScript: %s", result, problem)
	}
	out := newOutlet(result)
	s.result = &out
	return ""
}

// call is a RawFunc.
func (s *signature) call(ctx context.Context, args RawValue) (RawValue, error) {
	values, err := s.arguments(ctx, args)
	if err != nil {
		return RawValue{}, err
	}
	results := s.function.Call(values)
	if s.returnsFail {
		if err, _ := results[len(results)-1].Interface().(error); err != nil {
			return RawValue{}, err
		}
	}
	if s.result == nil {
		return RawValue{}, nil
	}
	result, err := s.result.value(results[0])
	if err != nil {
		return RawValue{}, fmt.Errorf("result (%s): %w", results[0].Type(), err)
	}
	return result, nil
}

func (s *signature) arguments(ctx context.Context, args RawValue) ([]reflect.Value, error) {
	var few [8][]byte
	texts, ok := splitArguments(args.JSON, few[:0])
	if !ok {
		return nil, errors.New("the arguments are not a JSON array") // The library writes nothing else.
	}
	if err := s.checkCount(len(texts)); err != nil {
		return nil, err
	}
	values := make([]reflect.Value, 0, len(texts)+1)
	if s.takesCtx {
		values = append(values, reflect.ValueOf(ctx))
	}
	for i, text := range texts {
		param := s.params[min(i, len(s.params)-1)]
		value, err := param.value(text, args.Blobs)
		if err != nil {
			return nil, fmt.Errorf("argument %d (%s): %w", i+1, param.kind, err)
		}
		values = append(values, value)
	}
	return values, nil
}

func (s *signature) checkCount(given int) error {
	expected, least := len(s.params), ""
	switch {
	case s.variadic && given >= expected-1, given == expected:
		return nil
	case s.variadic:
		expected, least = expected-1, "at least "
	}
	plural := "s"
	if expected == 1 {
		plural = ""
	}
	return fmt.Errorf("takes %s%d argument%s, got %d", least, expected, plural, given)
}
