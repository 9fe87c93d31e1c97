package hyperlight

// JSException is what JavaScript threw and did not catch. Upstream has only a text for it, in
// HyperlightError::GuestError, out of which it is taken. That text has message and stack of an Error, but not
// its name (such as TypeError), cause, or other properties.
//
// The guest chooses all of it: an Error's message and stack are properties that any script may set.
type JSException struct {
	// Message is the exception's message, or empty if it has none or one that is no text, such as a symbol.
	// For a thrown value that is no Error, it is its text, if Thrown is of a kind that has one.
	Message string
	// Stack has one line for each frame, like "    at handler (./greet.js:3:11)"; [JSException.Frames] takes
	// it apart. It is empty for a thrown value that is no Error.
	Stack string
	// Thrown is what kind of value was thrown: ThrownError, which is the zero value, or what it was instead.
	Thrown Thrown

	cause error // of a host function, or of the file system
}

// Thrown is a kind of JavaScript value that can be thrown. Upstream: the types of rquickjs, in its text.
type Thrown string

// What JavaScript can throw. Message is the text of strings, numbers, booleans, null and undefined, as
// JavaScript prints them. Of all others upstream tells no more than the kind, and of a string with a lone
// surrogate, which is no UTF-8, neither.
const (
	// ThrownError is an Error, or an object of a class that extends it.
	ThrownError     Thrown = ""
	ThrownString    Thrown = "string"
	ThrownNumber    Thrown = "number"
	ThrownBoolean   Thrown = "boolean"
	ThrownNull      Thrown = "null"
	ThrownUndefined Thrown = "undefined"
	ThrownBigInt    Thrown = "bigint"
	ThrownSymbol    Thrown = "symbol"
	// ThrownObject is any object that is none of the others, a DOMException among them.
	ThrownObject Thrown = "object"
	ThrownArray  Thrown = "array"
	// ThrownFunction is a function or a class.
	ThrownFunction Thrown = "function"
	ThrownPromise  Thrown = "promise"
	// ThrownProxy is a Proxy, also one of an Error.
	ThrownProxy Thrown = "proxy"
	// ThrownUnknown is what upstream had no name for when this package was made.
	ThrownUnknown Thrown = "unknown"
)

// Error is the exception's message, in upstream's text the part after "message: ". Without one, it says what
// was thrown.
func (e *JSException) Error() string {
	e = orZero(e)
	switch {
	case e.Message != "":
		return e.Message
	case e.Thrown == ThrownError:
		return "exception without a message"
	}
	return "thrown " + string(e.Thrown)
}

// Unwrap is what the exception comes from, where that was an error in Go: of the host function that threw
// it, or of the file system of [ProtoJSSandbox.SetModuleLoader], when a module could not be had; or nil.
// Upstream keeps only the text of such an error.
func (e *JSException) Unwrap() error { return orZero(e).cause }
