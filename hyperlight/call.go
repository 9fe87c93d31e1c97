package hyperlight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Caller runs handlers: what [Call] needs. [*LoadedJSSandbox], [*Pool] and [*Lease] do. Upstream has none.
type Caller interface {
	// HandleEvent runs the handler called name; [LoadedJSSandbox.HandleEvent] says how.
	HandleEvent(ctx context.Context, name string, event []byte, opts ...CallOption) ([]byte, error)
}

// Call runs a handler whose event and result are Go values, by way of encoding/json and its rules: struct tags,
// [json.Marshaler] and [json.Unmarshaler]; fields that the other side does not know are ignored. Upstream:
// LoadedJSSandbox::handle_event, which takes and returns JSON.
//
//	reply, err := hyperlight.Call[Reply](ctx, loaded, "greet", Request{Name: "World"})
//
// The event in may be anything that has JSON; a [json.RawMessage] is passed on as it is. The result is passed on
// as it is if Out is json.RawMessage, for those who want to decode it later or elsewhere. It is dropped if Out is
// struct{}, and then there need not be one; otherwise a handler that returns nothing is an [ErrNoValue]. The
// result null is what it is to encoding/json: nil, or a zero Out.
//
// Events and results are JSON and no more. []byte is text in base64, as encoding/json has it; as a Uint8Array
// bytes travel to host functions only ([ProtoJSSandbox.Register]). JavaScript's numbers are float64: the guest
// rounds integers beyond 2^53, unless they travel as strings, with the tag `json:",string"` for instance.
//
// # Errors
//
// With an error, Out is zero. Nothing ran after [ErrEventEncoding], when in has no JSON (a channel, NaN, a value
// that contains itself), and [ErrInvalidArgument] for a nil caller. The handler ran, and the sandbox is ready,
// after [ErrResultDecoding], when the result does not fit Out. [errors.As] finds what encoding/json said in both
// cases, such as a [*json.UnmarshalTypeError]. All other errors are those of the caller's HandleEvent.
//
// A panic of a Marshaler or an Unmarshaler reaches the caller of Call, as with encoding/json, before the handler
// runs or after it.
func Call[Out any](ctx context.Context, caller Caller, name string, in any, opts ...CallOption) (Out, error) {
	var out, none Out
	result, err := callWithValue(ctx, caller, name, in, opts)
	if _, unwanted := any(out).(struct{}); unwanted {
		if errors.Is(err, ErrNoValue) {
			err = nil
		}
		return none, err
	}
	if err != nil {
		return none, err
	}
	if raw, ok := any(&out).(*json.RawMessage); ok {
		*raw = result
		return out, nil
	}
	if err := json.Unmarshal(result, &out); err != nil {
		return none, decodingError(reflect.TypeFor[Out](), err)
	}
	return out, nil
}

// callWithValue is the part of Call that is the same for all types.
func callWithValue(ctx context.Context, caller Caller, name string, in any, opts []CallOption) ([]byte, error) {
	const op = "Call"
	if isNil(caller) {
		return nil, invalidArgument(op, "the caller is nil")
	}
	event, given := in.(json.RawMessage)
	if !given || event == nil {
		var err error
		if event, err = encodeJSON(in); err != nil {
			message := fmt.Sprintf("the handler did not run, since an event of type %T has no JSON: %v", in, err)
			return nil, &Error{Op: op, Code: CodeEventEncoding, Message: message, cause: err}
		}
	}
	return caller.HandleEvent(ctx, name, event, opts...)
}

// isNil says whether there is nothing behind an interface, whatever type that nothing has.
func isNil(caller Caller) bool {
	switch value := reflect.ValueOf(caller); value.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return value.IsNil()
	}
	return false
}

// decodingError says which Go type a result does not fit, and, if encoding/json knows, which part of it.
func decodingError(out reflect.Type, cause error) error {
	where := ""
	var mismatch *json.UnmarshalTypeError
	if errors.As(cause, &mismatch) {
		where = fmt.Sprintf(" (at byte %d)", mismatch.Offset)
	}
	message := fmt.Sprintf("the handler ran, but its result does not fit %v: %v%s", out, cause, where)
	return &Error{Op: "Call", Code: CodeResultDecoding, Message: message, cause: cause}
}
