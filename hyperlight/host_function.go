package hyperlight

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Register makes a Go function available to JavaScript, which finds it in the module of this name:
//
//	import * as math from "math";
//	math.add(1, 2);
//
// Names are any text without a NUL byte, also empty, and are imported as they are given. A function that was
// registered before under both names is replaced. After LoadRuntime the set of functions is fixed. The
// guest's own modules io, console and require hide modules of these names. Upstream:
// ProtoJSSandbox::register, whose functions return no errors, and take no bytes.
//
// # Functions
//
// function is any Go function, also a variadic one. A first parameter of type [context.Context] gets a context
// made from the ctx of the HandleEvent or Load that runs, with its values, deadline and cause. It also ends
// when the call is over, and when the sandbox is closed, which [context.Cause] says; not when a monitor fires,
// or an interrupt handle. Since the guest waits for the function, a function that may take long should look at
// it. When it has ended the guest is stopped, whatever the function returns. The function returns nothing, a
// result, an error, or a result and an error. It runs on a coroutine ([WithHostGoroutines] says what that
// must not do), and one sandbox runs one function at a time.
//
// It may use other sandboxes: with its context, so that what ends the one call ends the other. Its own sandbox
// returns [ErrReentrant] instead of waiting for itself; so it does for goroutines that have the context, and
// when another sandbox that was called with it comes back. What is to use the sandbox once the call is over
// begins with [context.Background]: [context.WithoutCancel] still tells whose it was. A sandbox that its own
// functions refer to is not freed unless it is closed.
//
// An error becomes a JavaScript exception that the guest may catch. Its message ends with the error's
// text; upstream cuts the message, of which some 150 bytes are its own, to 255 bytes. If nobody catches it,
// HandleEvent fails, and [errors.Is] and [errors.As] find the Go error in HandleEvent's, also one that came
// from another sandbox. So it is with a panic and a call of runtime.Goexit: [ErrHostFunctionPanicked], and
// the process lives. None of this poisons the sandbox.
//
// # Values
//
// Arguments and results travel as JSON. Package [encoding/json] decides how Go values become JSON and
// back, but for bytes: they travel beside the JSON, as they are.
//
//	JavaScript                  Go parameter
//	Uint8Array                  []byte, or a type made from it; any gets []byte; at any depth, but not in
//	                            a type with UnmarshalJSON or UnmarshalText
//	other typed arrays          an object with indexes for keys; of ArrayBuffer and DataView, an empty one
//	number                      any type of number that holds it; any gets float64. No digit is lost.
//	-0                          0
//	2**63                       math.MaxInt64; upstream does not count further
//	BigInt                      none: a TypeError in the guest, before the call
//	string                      string; half a surrogate pair is a TypeError in the guest, before the call
//	Date                        time.Time, or a string
//	object                      struct or map; of a function, Map, or Set, an empty one
//	null, undefined, a symbol,  nil, for a pointer, map, slice, []byte or any; a type with UnmarshalJSON
//	  NaN, Infinity, an         decides by itself; anything else does not take it. Inside of a value
//	  invalid Date              it leaves zero where it is not taken, as in encoding/json.
//
//	Go result                   JavaScript
//	[]byte                      Uint8Array, at any depth; nil is null
//	[N]byte, json.Marshaler     what encoding/json makes of them
//	integer                     number; beyond 2**53 the nearest there is: return a string to keep all digits
//	float64                     number, also -0; the guest may err in the last bit of one with 17 digits;
//	                            NaN and infinities are an error
//	time.Time                   string, as in RFC 3339
//	struct, map                 object, with its keys in alphabetical order
//	none, nil                   null
//
// A string or an array is no Uint8Array, and a Uint8Array is nothing else. An argument that its parameter
// does not take, and too many or too few of them, are an exception which says where and why. Values are
// nested up to 64 levels deep. Results that do not fit into the input buffer, and arguments that do
// not fit into the output buffer, are an exception too.
//
// A guest can write {"__bin__":0} beside a Uint8Array in the same call, and the function gets that
// Uint8Array twice, in the same memory. It reaches nothing else in this way.
//
// # Errors
//
// [ErrInvalidArgument] when function is not such a function, or has a parameter or a result for which there
// is no JSON, or when a name has a NUL byte or invalid UTF-8; [ErrBufferTooSmall] when the names of all
// functions do not fit into the input buffer; [ErrConsumed] after LoadRuntime; [ErrClosed]. The sandbox
// is as before then.
func (p *ProtoJSSandbox) Register(module, name string, function any) error {
	return p.register("Register", module, name, function)
}

// RegisterRaw makes a function available to JavaScript that takes care of JSON itself. For the rest see
// [ProtoJSSandbox.Register]. Upstream: HostModule::register_js.
//
// # Errors
//
// [ErrInvalidArgument] when function is nil, and those of Register.
func (p *ProtoJSSandbox) RegisterRaw(module, name string, function RawFunc) error {
	return p.registerRaw("RegisterRaw", module, name, function)
}

// HostModule is the module of this name, for those who register many functions in one. Upstream:
// ProtoJSSandbox::host_module.
func (p *ProtoJSSandbox) HostModule(name string) *HostModule { return &HostModule{p, name} }

// HostModule is a module of host functions; upstream's HostModule. All with the same name are the same
// module. It may be used from any goroutine.
type HostModule struct {
	proto *ProtoJSSandbox
	name  string
}

// Register is [ProtoJSSandbox.Register] for this module. Upstream: HostModule::register.
func (m *HostModule) Register(name string, function any) error {
	m = orZero(m)
	return m.proto.register("HostModule.Register", m.name, name, function)
}

// RegisterRaw is [ProtoJSSandbox.RegisterRaw] for this module. Upstream: HostModule::register_js.
func (m *HostModule) RegisterRaw(name string, function RawFunc) error {
	m = orZero(m)
	return m.proto.registerRaw("HostModule.RegisterRaw", m.name, name, function)
}

// RawFunc is a host function that takes care of JSON itself. args is an array. ctx is made from that of the
// HandleEvent or Load that runs, as Register says; an error becomes a JavaScript exception. Upstream: what
// HostModule::register_js takes.
type RawFunc func(ctx context.Context, args RawValue) (RawValue, error)

// RawValue is a JavaScript value: JSON, and the Uint8Arrays in it. Its zero value is null. Upstream:
// FnReturn for results, and a serde_json::Value with a list of blobs for arguments.
type RawValue struct {
	// JSON is the value. In it, each object {"__bin__":N} whose N is an index of Blobs stands for that
	// Uint8Array; if there are no Blobs it is just an object. JSON in arguments has no white space.
	JSON []byte
	// Blobs are the bytes of the Uint8Arrays.
	Blobs [][]byte
}

// RawBytes is a Uint8Array; it shares the memory of data. Upstream: FnReturn::Binary.
func RawBytes(data []byte) RawValue {
	return RawValue{JSON: appendPlaceholder(nil, 0), Blobs: [][]byte{data}}
}

// RawJSON makes a RawValue of a Go value, by the rules of [ProtoJSSandbox.Register]. Upstream:
// FnReturn::Json and FnReturn::JsonWithBinaries.
//
// # Errors
//
// [ErrInvalidArgument] for a value that JSON cannot hold.
func RawJSON(value any) (RawValue, error) {
	const op = "RawJSON"
	if value == nil {
		return RawValue{JSON: []byte("null")}, nil
	}
	t := reflect.TypeOf(value)
	if problem := whyUnsupported(t, toGuest); problem != "" {
		return RawValue{}, invalidArgument(op, problem)
	}
	result, err := newOutlet(t).value(reflect.ValueOf(value))
	if err != nil {
		return RawValue{}, invalidArgument(op, err.Error())
	}
	return result, nil
}

// Unmarshal sets what into points to, by the rules of [ProtoJSSandbox.Register]. The value keeps no memory
// of v but that of its blobs. Upstream has none: its functions look for the blobs themselves.
//
// # Errors
//
// [ErrInvalidArgument] when into is no pointer, or points to a type that v does not fit.
func (v RawValue) Unmarshal(into any) error {
	const op = "RawValue.Unmarshal"
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return invalidArgument(op, fmt.Sprintf("into is %T, not a pointer to something", into))
	}
	t := target.Type().Elem()
	if problem := whyUnsupported(t, fromGuest); problem != "" {
		return invalidArgument(op, problem)
	}
	text := []byte("null")
	if len(v.JSON) > 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, v.JSON); err != nil {
			return invalidArgument(op, err.Error())
		}
		text = compact.Bytes()
	}
	value, err := newInlet(t).value(text, v.Blobs)
	if err != nil {
		return invalidArgument(op, fmt.Sprintf("%s: %v", t, err))
	}
	target.Elem().Set(value)
	return nil
}

func (p *ProtoJSSandbox) register(op, module, name string, function any) error {
	signature, problem := newSignature(function)
	if problem != "" {
		return invalidArgument(op, fmt.Sprintf("function %q of module %q: %s", name, module, problem))
	}
	return p.registerCall(op, module, name, signature.call)
}

func (p *ProtoJSSandbox) registerRaw(op, module, name string, function RawFunc) error {
	if function == nil {
		return invalidArgument(op, fmt.Sprintf("function %q of module %q is nil", name, module))
	}
	return p.registerCall(op, module, name, function)
}

func (p *ProtoJSSandbox) registerCall(op, module, name string, call RawFunc) error {
	p = orZero(p) // The zero HostModule has none.
	defer runtime.KeepAlive(p)
	if err := p.h.enter(context.Background(), op); err != nil {
		return err
	}
	defer p.h.leave()
	function := &hostFunction{p.guest, module, name, call}
	return nativeError(op, capi.ProtoSandboxRegister(p.h.native, module, name, function.run))
}

// hostFunction is a function that one guest may call.
type hostFunction struct {
	guest        *guest
	module, name string
	call         RawFunc
}

// run answers a call from the guest. It has native frames below it, so all that is the user's is guarded.
func (f *hostFunction) run(native capi.HostCall, args, packed []byte) {
	ctx := context.Background()
	running := f.guest.call.Load()
	if running != nil {
		ctx = running.context()
	}
	var result RawValue
	var failure *hostFailure
	inside, span := f.startSpan(ctx)
	if panicked := f.guest.guarded(func() {
		var err error
		if result, err = f.answer(inside, args, packed); err != nil {
			failure = f.failure(err, err.Error())
		}
	}); panicked != nil {
		failure = f.panicked(panicked)
	}
	if failure == nil {
		if err := f.give(native, result); err != nil {
			failure = f.failure(nativeError("host function", err), err.Message)
		}
	}
	f.endSpan(span, failure)
	if failure != nil {
		capi.HostCallFail(native, failure.text)
		if running != nil {
			running.currentFailures().remember(failure)
		}
	}
}

func (f *hostFunction) answer(ctx context.Context, args, packed []byte) (RawValue, error) {
	arguments := RawValue{JSON: args}
	if len(packed) > 0 {
		var err error
		if arguments.Blobs, err = decodeBlobs(packed); err != nil {
			return RawValue{}, err
		}
	}
	return f.call(ctx, arguments)
}

// give answers the guest: with a Uint8Array, or JSON and packed blobs.
func (f *hostFunction) give(native capi.HostCall, result RawValue) *capi.Error {
	switch {
	case len(result.JSON) == 0:
		return capi.HostCallReturnJSON(native, []byte("null"), nil)
	case len(result.Blobs) == 0:
		return capi.HostCallReturnJSON(native, result.JSON, nil)
	}
	if index, ok := isPlaceholder(result.JSON, len(result.Blobs)); ok {
		return capi.HostCallReturnBytes(native, result.Blobs[index])
	}
	blobs, err := f.pack(result)
	if err != nil {
		return err
	}
	return capi.HostCallReturnJSON(native, result.JSON, blobs)
}

// pack refuses what will not fit before it copies anything. A guest can name one blob thousands of times: a
// function that returns what it gets would have this process copy the blob as often.
func (f *hostFunction) pack(result RawValue) ([]byte, *capi.Error) {
	limit := f.guest.configuration().InputBufferSize
	if size := packedSize(result.Blobs) + len(result.JSON); size > limit {
		message := fmt.Sprintf("the result needs %d bytes of the input buffer, which has %d", size, limit)
		return nil, &capi.Error{Code: capi.CodeBufferTooSmall, Message: message}
	}
	packed, err := encodeBlobs(result.Blobs)
	if err != nil {
		return nil, &capi.Error{Code: capi.CodeInvalidArgument, Message: err.Error()}
	}
	return packed, nil
}
