package hyperlight

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// HostPanic is the error of a host function that panicked or ended its goroutine. It matches
// [ErrHostFunctionPanicked]. Upstream has none: there a panic leaves a sandbox that nothing recovers.
type HostPanic struct {
	// Module and Function are what the function was registered as.
	Module, Function string
	// Value is what was given to panic, or [ErrGoexit].
	Value any
	// Stack is where it happened, as runtime/debug.Stack prints it.
	Stack []byte
}

// ErrGoexit is the Value of a [HostPanic] that is none: the function called runtime.Goexit, as t.FailNow
// does. There is nothing like it in Rust, and so upstream.
var ErrGoexit = capi.ErrGoexit

// Error says which function panicked, and with what. The guest is told the same in upstream's words.
func (p *HostPanic) Error() string {
	p = orZero(p)
	return fmt.Sprintf("host function %q of module %q panicked: %v", p.Function, p.Module, p.Value)
}

// Is makes it match [ErrHostFunctionPanicked]; for [errors.Is], which upstream has no need of.
func (p *HostPanic) Is(target error) bool { return target == ErrHostFunctionPanicked }

// Unwrap is the value, if that is an error; so [errors.As] finds it, which upstream has nothing like.
func (p *HostPanic) Unwrap() error {
	err, _ := orZero(p).Value.(error)
	return err
}

// hostFailure is an error that a guest got from a host function.
type hostFailure struct {
	err     error
	text    string // what the shim is told
	message string // what the exception says, unless the guest changes it
}

func (f *hostFunction) failure(err error, text string) *hostFailure {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	// Upstream's words, as far as its guest keeps them.
	message := fmt.Sprintf("Host function error: Calling binary host function: "+
		"Calling host function %s %s failed (HostFunctionError): "+
		"Error calling host function '%s' in module '%s': %s",
		rustQuote(f.module), rustQuote(f.name), f.name, f.module, text)
	const longest = 255
	if len(message) > longest {
		end := longest
		for !utf8.RuneStart(message[end]) {
			end--
		}
		message = message[:end]
	}
	return &hostFailure{err, text, message}
}

// rustQuote quotes a text as Rust's {:?} does.
func rustQuote(text string) string {
	quoted := []byte{'"'}
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			quoted = append(quoted, '\\', byte(r))
		case r == '\t':
			quoted = append(quoted, `\t`...)
		case r == '\n':
			quoted = append(quoted, `\n`...)
		case r == '\r':
			quoted = append(quoted, `\r`...)
		case !unicode.IsPrint(r) || unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Grapheme_Extend):
			quoted = fmt.Appendf(quoted, `\u{%x}`, r)
		default:
			quoted = utf8.AppendRune(quoted, r)
		}
	}
	return string(append(quoted, '"'))
}

// panicked is the failure of a function that did not return.
func (f *hostFunction) panicked(p *capi.Panic) *hostFailure {
	text := "panicked"
	// How a value prints may be the user's code, too.
	_ = f.guest.guarded(func() { text = fmt.Sprintf("panicked: %v", p.Value) })
	return f.failure(&HostPanic{Module: f.module, Function: f.name, Value: p.Value, Stack: p.Stack}, text)
}

// remember keeps a failure, and forgets the oldest of many: a guest may cause any number.
func (f *eventFailures) remember(failure *hostFailure) {
	const most = 8
	if len(f.host) == most {
		f.host = f.host[1:]
	}
	f.host = append(f.host, failure)
}

// explainHost finds the Go error behind the error of an event. The guest may have thrown something else since,
// so the exception has to say what the host function's did.
func (f *eventFailures) explainHost(err error) error {
	e, ok := err.(*Error)
	if !ok || e.Exception == nil {
		return err
	}
	for _, failure := range slices.Backward(f.host) {
		if strings.Contains(e.Exception.Message, failure.message) {
			e.Exception.cause = failure.err
			if _, ok := failure.err.(*HostPanic); ok {
				e.Code = CodeHostFunctionPanicked
			}
			return err
		}
	}
	return err
}
