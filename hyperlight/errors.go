package hyperlight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Error is what every function and method of this package returns when it fails. Find out what happened
// with [errors.Is] and the sentinels of this package, and get at the JavaScript exception with
// [errors.As] and [*JSException]; if a host function threw that, its Go error is found too. The verb %+v
// prints the exception's stack below the text. Upstream: HyperlightError, whose variants became codes.
type Error struct {
	// Op is the function or method that failed, like "HandleEvent".
	Op string
	// Code is the kind of failure.
	Code Code
	// Message is upstream's text, unchanged, where the failure is upstream's. It may hold what a guest
	// chose: treat it as data.
	Message string
	// Exception is what JavaScript threw, or nil.
	Exception *JSException
	// GuestCode is the guest's own error code (upstream's ErrorCode: 13 malloc failed, 15 guest error,
	// 17 host function error, ...), or 0 when the failure is not the guest's.
	GuestCode uint32
	// Monitor is what stopped the guest first, or kept it from running, if the code is CodeCancelled: the name
	// of the monitor that fired, "interrupt" for an [InterruptHandle], or "context" for the context of the call.
	Monitor string

	cause error // the context's error, the loader's failure
}

// Code is the kind of a failure. Codes below 1000 are those of the C ABI (hljs_code), which never change;
// those from 1000 on only exist in Go. Upstream: the variants of HyperlightError, where it has one.
type Code uint32

// The kinds of failures. Each code has the sentinel of its name, which says what it means and what upstream
// calls it, but for these: CodeMemoryTooBig and CodeMemoryTooSmall match [ErrMemorySize]; CodeGuestError
// matches [ErrGuest]; CodeLogsStopped matches [ErrClosed]; CodePanic, a panic in the native library, and
// CodeBusy, a call that got past the queue, are bugs, and match [ErrInternal]; and CodeContextDone, a context
// that ended while there was no guest to stop, matches the context's own error.
const (
	CodeInvalidArgument    = Code(capi.CodeInvalidArgument)
	CodeConsumed           = Code(capi.CodeConsumed)
	CodeUnsupported        = Code(capi.CodeUnsupported)
	CodeNoHypervisor       = Code(capi.CodeNoHypervisor)
	CodeHypervisorUnusable = Code(capi.CodeHypervisorUnusable)
	CodeMemoryTooBig       = Code(capi.CodeMemoryTooBig)
	CodeMemoryTooSmall     = Code(capi.CodeMemoryTooSmall)
	CodeHostResources      = Code(capi.CodeHostResources)
	CodeHandlerExists      = Code(capi.CodeHandlerExists)
	CodeHandlerNotFound    = Code(capi.CodeHandlerNotFound)
	CodeNoHandlers         = Code(capi.CodeNoHandlers)
	CodeBufferTooSmall     = Code(capi.CodeBufferTooSmall)
	CodeInvalidJSON        = Code(capi.CodeInvalidJSON)
	CodeModuleExists       = Code(capi.CodeModuleExists)
	CodeModuleNotFound     = Code(capi.CodeModuleNotFound)
	CodeJSException        = Code(capi.CodeJSException)
	CodeNoValue            = Code(capi.CodeNoValue)
	CodeGuestError         = Code(capi.CodeGuestError)
	CodeCancelled          = Code(capi.CodeCancelled)
	CodeGuestAborted       = Code(capi.CodeGuestAborted)
	CodeOutOfMemory        = Code(capi.CodeOutOfMemory)
	CodeAccessViolation    = Code(capi.CodeAccessViolation)
	CodeVMFailure          = Code(capi.CodeVMFailure)
	CodePoisoned           = Code(capi.CodePoisoned)
	CodeUnrecoverable      = Code(capi.CodeUnrecoverable)
	CodeOutputTooBig       = Code(capi.CodeOutputTooBig)

	CodeMonitorFailedToStart = Code(capi.CodeMonitorFailedToStart)
	CodeTooManyTriggers      = Code(capi.CodeTooManyTriggers)
	CodeContextDone          = Code(capi.CodeContextCancelled)

	CodeTelemetryTooLate = Code(capi.CodeTelemetryTooLate)
	CodeMetricsDisabled  = Code(capi.CodeMetricsDisabled)
	CodeLogsRunning      = Code(capi.CodeLogsRunning)
	CodeLogsStopped      = Code(capi.CodeLogsStopped)

	CodeInternal = Code(capi.CodeInternal)
	CodePanic    = Code(capi.CodePanic)
	CodeBusy     = Code(capi.CodeBusy)

	CodeSnapshotMismatch     = Code(capi.CodeSnapshotMismatch)
	CodeSnapshotIncompatible = Code(capi.CodeSnapshotIncompatible)
	CodeSnapshotNotFound     = Code(capi.CodeSnapshotNotFound)
	CodeSnapshotCorrupt      = Code(capi.CodeSnapshotCorrupt)
	CodeSnapshotIO           = Code(capi.CodeSnapshotIO)

	CodeClosed          Code = 1000
	CodeLibraryNotFound Code = 1001
	CodeABIMismatch     Code = 1002
	CodeLibraryLoaded   Code = 1003

	CodeHostFunctionPanicked Code = 1005
	CodeReentrant            Code = 1006

	CodeEventEncoding  Code = 1010
	CodeResultDecoding Code = 1011

	CodePoolFull         Code = 1020
	CodeTemplatePanicked Code = 1021
)

// The sentinels that errors of this package match with [errors.Is]. What failed because a context ended also
// matches the context's own error, and its cause. Where upstream has a variant of HyperlightError for it, that
// is named; all others are texts there (HyperlightError::Error), or cannot happen in Rust.
var (
	// ErrInvalidArgument: an argument is not what the method takes. Nothing has changed.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrConsumed: an earlier transition such as Load took the sandbox. Use what that returned. In Rust
	// such a program does not compile.
	ErrConsumed = errors.New("consumed")
	// ErrClosed: the sandbox, the snapshot, the pool, the lease or the log forwarder was closed, maybe while the call
	// ran, or is a zero value, or nil.
	ErrClosed = errors.New("closed")
	// ErrUnsupported: this platform, this build of the library, or this sandbox as it was configured, cannot
	// do it. It also matches [errors.ErrUnsupported].
	ErrUnsupported = errors.New("unsupported")

	// ErrNoHypervisor: there is no /dev/kvm and no /dev/mshv that this process may open. Upstream:
	// NoHypervisorFound.
	ErrNoHypervisor = errors.New("no hypervisor")
	// ErrHypervisorUnusable: a hypervisor is there, but it cannot run a guest. Upstream: HyperlightVmError,
	// while it boots.
	ErrHypervisorUnusable = errors.New("hypervisor unusable")
	// ErrHostResources: the host has no memory, no file descriptors or no threads left for a micro-VM or a
	// snapshot. Upstream: HyperlightVmError while it boots, SharedMemory for snapshots.
	ErrHostResources = errors.New("host resources exhausted")
	// ErrMemorySize: a size of the configuration is too small or too big. It is an invalid argument, too.
	// Upstream: MemoryRequestTooSmall and MemoryRequestTooBig, or silence.
	ErrMemorySize = errors.New("memory size out of range")

	// ErrHandlerExists: a handler of this name was added before.
	ErrHandlerExists = errors.New("handler exists")
	// ErrHandlerNotFound: there is no handler of this name.
	ErrHandlerNotFound = errors.New("handler not found")
	// ErrNoHandlers: Load needs at least one handler.
	ErrNoHandlers = errors.New("no handlers")
	// ErrBufferTooSmall: something does not fit into the input buffer: a script, a module, an event, or the
	// names of all host functions. Upstream: SharedMemory, for an event; the others it notices too late.
	ErrBufferTooSmall = errors.New("buffer too small")
	// ErrInvalidJSON: the event is not JSON. Upstream: JsonConversionFailure.
	ErrInvalidJSON = errors.New("invalid JSON")

	// ErrModuleExists: a module of this name and namespace was added before.
	ErrModuleExists = errors.New("module exists")
	// ErrModuleNotFound: no module of this name and namespace was added.
	ErrModuleNotFound = errors.New("module not found")

	// ErrJSException: JavaScript threw; Exception says what. Upstream: GuestError.
	ErrJSException = errors.New("JavaScript exception")
	// ErrNoValue: the handler returned nothing that JSON can hold. Upstream: GuestError.
	ErrNoValue = errors.New("no value")
	// ErrGuest: the guest refused the call. JavaScript exceptions and missing values match it too. Upstream:
	// GuestError.
	ErrGuest = errors.New("guest error")

	// ErrCancelled: the host stopped the guest, and the sandbox is poisoned, or was consumed by Load; or a
	// trigger had fired before the guest could run, and the sandbox is as it was. Monitor says what did it.
	// Upstream: ExecutionCanceledByHost.
	ErrCancelled = errors.New("cancelled")
	// ErrGuestAborted: the guest aborted. The sandbox is poisoned. Running out of memory and results that
	// are too big match it too. Upstream: GuestAborted.
	ErrGuestAborted = errors.New("guest aborted")
	// ErrOutOfMemory: the guest aborted because heap or scratch was used up. The sandbox is poisoned.
	// Upstream: GuestAborted.
	ErrOutOfMemory = errors.New("out of memory")
	// ErrOutputTooBig: the guest aborted because the handler's result does not fit into the output
	// buffer. The sandbox is poisoned. Upstream: GuestAborted.
	ErrOutputTooBig = errors.New("output too big")
	// ErrAccessViolation: the guest touched memory that it may not touch. The sandbox is poisoned. Upstream:
	// MemoryAccessViolation and ExecutionAccessViolation.
	ErrAccessViolation = errors.New("memory access violation")
	// ErrVMFailure: the micro-VM failed while it ran. The sandbox is poisoned. Upstream: HyperlightVmError.
	ErrVMFailure = errors.New("micro-VM failure")
	// ErrPoisoned: an earlier call left the sandbox poisoned. Restore a snapshot, unload it, or close it.
	// Upstream: PoisonedSandbox.
	ErrPoisoned = errors.New("poisoned")
	// ErrUnrecoverable: the sandbox cannot be recovered. Close it. Upstream: UnrecoverableSandbox.
	ErrUnrecoverable = errors.New("unrecoverable")

	// ErrSnapshotMismatch: the snapshot needs host functions that the sandbox lacks, or has with another
	// signature. The sandbox is as before. Upstream: SnapshotHostFunctionMismatch.
	ErrSnapshotMismatch = errors.New("snapshot mismatch")
	// ErrSnapshotIncompatible: the snapshot was saved on another architecture, hypervisor or CPU vendor, or
	// by another version of upstream.
	ErrSnapshotIncompatible = errors.New("snapshot incompatible")
	// ErrSnapshotNotFound: the folder holds no snapshots, or none of this tag or digest.
	ErrSnapshotNotFound = errors.New("snapshot not found")
	// ErrSnapshotCorrupt: a file of the snapshot is missing, malformed, not what its digest says, or forged
	// with sizes that cannot be.
	ErrSnapshotCorrupt = errors.New("snapshot corrupt")
	// ErrSnapshotIO: a file of the snapshot cannot be read or written.
	ErrSnapshotIO = errors.New("snapshot file failure")

	// ErrMonitorFailedToStart: a monitor could not start, so the handler did not run.
	ErrMonitorFailedToStart = errors.New("monitor failed to start")
	// ErrTooManyTriggers: this process has used 64 names of triggers, which is as many as it can.
	ErrTooManyTriggers = errors.New("too many triggers")

	// ErrTelemetryTooLate: [EnableMetrics] must come before the first [New].
	ErrTelemetryTooLate = errors.New("too late for telemetry")
	// ErrMetricsDisabled: [EnableMetrics] was not called.
	ErrMetricsDisabled = errors.New("metrics disabled")
	// ErrLogsRunning: logs are forwarded already, and only one [LogForwarder] can run.
	ErrLogsRunning = errors.New("logs are forwarded already")

	// ErrInternal: a failure that has no sentinel of its own, or a bug; the message says more. After a
	// panic in the native library the sandbox is unrecoverable.
	ErrInternal = errors.New("internal error")

	// ErrHostFunctionPanicked: a host function panicked or ended its goroutine, and the guest did not
	// catch the exception that this became. [*HostPanic] has value and stack. It is an [ErrJSException], too.
	ErrHostFunctionPanicked = errors.New("host function panicked")

	// ErrReentrant: a host function, a print function or a file system used the sandbox that waits for it.
	// Nothing has changed. In Rust such a program does not compile.
	ErrReentrant = errors.New("reentrant")

	// ErrEventEncoding: the event given to [Call] has no JSON. Nothing ran. It is an invalid argument, too.
	ErrEventEncoding = errors.New("event has no JSON")
	// ErrResultDecoding: the handler ran, but its result does not fit the Go type that [Call] was to return.
	ErrResultDecoding = errors.New("result does not fit")
	// ErrPoolFull: all sandboxes of the pool are in use, and as many callers wait for one as [PoolQueue]
	// allows. Upstream has no pools.
	ErrPoolFull = errors.New("pool full")
	// ErrTemplatePanicked: a function of a pool's [Template], or the context of [NewPool], panicked or ended its
	// goroutine. Upstream has no
	// pools.
	ErrTemplatePanicked = errors.New("template panicked")

	// ErrLibraryNotFound: no usable libhyperlight_js_capi.so was found.
	ErrLibraryNotFound = errors.New("library not found")
	// ErrABIMismatch: a library was found, but it has another ABI version than this package.
	ErrABIMismatch = errors.New("ABI mismatch")
	// ErrLibraryLoaded: the library is loaded, so it is too late to choose one.
	ErrLibraryLoaded = errors.New("library already loaded")
)

// kinds says which sentinels a code matches, and what a user can do about the failure.
var kinds = map[Code]struct {
	sentinels []error
	advice    string
}{
	CodeInvalidArgument:    {sentinels: []error{ErrInvalidArgument}},
	CodeConsumed:           {sentinels: []error{ErrConsumed}},
	CodeClosed:             {sentinels: []error{ErrClosed}},
	CodeUnsupported:        {sentinels: []error{ErrUnsupported, errors.ErrUnsupported}},
	CodeNoHypervisor:       {[]error{ErrNoHypervisor}, "check that /dev/kvm exists and that this user may open it"},
	CodeHypervisorUnusable: {[]error{ErrHypervisorUnusable}, "it cannot run a guest; `./build.sh doctor` tells more"},
	CodeMemoryTooBig:       {sentinels: []error{ErrMemorySize, ErrInvalidArgument}},
	CodeMemoryTooSmall:     {sentinels: []error{ErrMemorySize, ErrInvalidArgument}},
	CodeHostResources:      {[]error{ErrHostResources}, "close sandboxes and snapshots, or raise the limits of this process"},
	CodeHandlerExists:      {sentinels: []error{ErrHandlerExists}},
	CodeHandlerNotFound:    {sentinels: []error{ErrHandlerNotFound}},
	CodeNoHandlers:         {[]error{ErrNoHandlers}, "call AddHandler first"},
	CodeBufferTooSmall:     {[]error{ErrBufferTooSmall}, "raise WithInputBufferSize"},
	CodeInvalidJSON:        {sentinels: []error{ErrInvalidJSON}},
	CodeModuleExists:       {sentinels: []error{ErrModuleExists}},
	CodeModuleNotFound:     {sentinels: []error{ErrModuleNotFound}},
	CodeJSException:        {sentinels: []error{ErrJSException, ErrGuest}},
	CodeNoValue:            {sentinels: []error{ErrNoValue, ErrGuest}},
	CodeGuestError:         {sentinels: []error{ErrGuest}},
	CodeCancelled:          {sentinels: []error{ErrCancelled}},
	CodeGuestAborted:       {sentinels: []error{ErrGuestAborted}},
	CodeOutOfMemory:        {[]error{ErrOutOfMemory, ErrGuestAborted}, "raise WithHeapSize and WithScratchSize"},
	CodeAccessViolation:    {sentinels: []error{ErrAccessViolation}},
	CodeVMFailure:          {sentinels: []error{ErrVMFailure}},
	CodePoisoned:           {[]error{ErrPoisoned}, "restore a snapshot, unload or close it"},
	CodeUnrecoverable:      {sentinels: []error{ErrUnrecoverable}},
	CodeOutputTooBig:       {[]error{ErrOutputTooBig, ErrGuestAborted}, "raise WithOutputBufferSize"},

	CodeHostFunctionPanicked: {sentinels: []error{ErrHostFunctionPanicked, ErrJSException, ErrGuest}},

	CodeEventEncoding:    {sentinels: []error{ErrEventEncoding, ErrInvalidArgument}},
	CodeResultDecoding:   {sentinels: []error{ErrResultDecoding}},
	CodePoolFull:         {sentinels: []error{ErrPoolFull}},
	CodeTemplatePanicked: {sentinels: []error{ErrTemplatePanicked}},

	CodeSnapshotMismatch: {
		[]error{ErrSnapshotMismatch},
		"register them, before LoadRuntime, as in the sandbox that the snapshot was taken from",
	},
	CodeSnapshotIncompatible: {[]error{ErrSnapshotIncompatible}, "take and save it again on this kind of host"},
	CodeSnapshotNotFound:     {sentinels: []error{ErrSnapshotNotFound}},
	CodeSnapshotCorrupt:      {[]error{ErrSnapshotCorrupt}, "save the snapshot again"},
	CodeSnapshotIO:           {sentinels: []error{ErrSnapshotIO}},

	CodeMonitorFailedToStart: {sentinels: []error{ErrMonitorFailedToStart}},
	CodeTooManyTriggers:      {sentinels: []error{ErrTooManyTriggers}},
	CodeContextDone:          {}, // matches its cause

	CodeTelemetryTooLate: {[]error{ErrTelemetryTooLate}, "call EnableMetrics before the first New"},
	CodeMetricsDisabled:  {[]error{ErrMetricsDisabled}, "call EnableMetrics before the first New"},
	CodeLogsRunning:      {[]error{ErrLogsRunning}, "stop the other LogForwarder first"},
	CodeLogsStopped:      {sentinels: []error{ErrClosed}},

	CodeInternal:        {sentinels: []error{ErrInternal}},
	CodePanic:           {sentinels: []error{ErrInternal}},
	CodeBusy:            {sentinels: []error{ErrInternal}},
	CodeReentrant:       {[]error{ErrReentrant}, "use another sandbox"},
	CodeLibraryNotFound: {[]error{ErrLibraryNotFound}, "run ./build.sh, or set " + capi.LibraryVariable},
	CodeABIMismatch:     {[]error{ErrABIMismatch}, "build library and program from the same version"},
	CodeLibraryLoaded:   {[]error{ErrLibraryLoaded}, "choose a library before the first New"},
}

// Error is the operation, upstream's message, what stopped the guest, what can be done about it, and what
// an exception comes from.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	text := "hyperlight: " + e.Op + ": " + e.Message
	if e.Monitor != "" {
		text += " (by " + e.Monitor
		if e.cause != nil {
			text += ": " + e.cause.Error()
		}
		text += ")"
	}
	if advice := kinds[e.Code].advice; advice != "" {
		text += " (" + advice + ")"
	}
	// What a host function failed with is in the exception's message; what a file system did is not.
	if cause := e.exceptionCause(); cause != "" && !strings.Contains(e.Exception.Message, cause) {
		text += ": " + cause
	}
	return text
}

// exceptionCause is the text of the Go error behind the exception, or empty.
func (e *Error) exceptionCause() string {
	if e.Exception == nil || e.Exception.cause == nil {
		return ""
	}
	return e.Exception.cause.Error()
}

// Is reports whether target is a sentinel of this error's code; for [errors.Is], where a Rust program
// matches upstream's variant.
func (e *Error) Is(target error) bool {
	for _, sentinel := range kinds[orZero(e).Code].sentinels {
		if sentinel == target {
			return true
		}
	}
	return false
}

// Unwrap gives the JavaScript exception, or the cause outside this package and upstream.
func (e *Error) Unwrap() error {
	e = orZero(e)
	if e.Exception != nil {
		return e.Exception
	}
	return e.cause
}

// Format prints the error; with %+v, the stack of the JavaScript exception below it, as upstream gives it.
func (e *Error) Format(state fmt.State, verb rune) {
	switch {
	case verb == 'q':
		_, _ = fmt.Fprintf(state, "%q", e.Error())
	case verb == 'v' && state.Flag('+') && orZero(e).Exception != nil && e.Exception.Stack != "":
		_, _ = io.WriteString(state, e.Error()+"\n"+e.Exception.Stack)
	default:
		_, _ = io.WriteString(state, e.Error())
	}
}

func invalidArgument(op, message string) error {
	return &Error{Op: op, Code: CodeInvalidArgument, Message: message}
}

// contextError is the failure of a call that did not begin because its context has ended.
func contextError(op string, ctx context.Context) error {
	cause := causeOf(ctx)
	return &Error{Op: op, Code: CodeContextDone, Message: "the guest did not run: " + cause.Error(), cause: cause}
}

// reentrant is the failure of a call that would wait for its own end.
func reentrant(op string) error {
	return &Error{Op: op, Code: CodeReentrant, Message: "the sandbox waits for the function that makes this call"}
}

// nativeError turns an error of the C ABI into one of ours. nil stays nil.
func nativeError(op string, err *capi.Error) error {
	if err == nil {
		return nil
	}
	return newError(op, err)
}

func newError(op string, err *capi.Error) *Error {
	result := &Error{Op: op, Code: Code(err.Code), Message: err.Message, GuestCode: err.GuestCode, Monitor: err.Monitor}
	if err.Code == capi.CodeJSException {
		result.Exception = &JSException{Message: err.JSMessage, Stack: err.JSStack, Thrown: Thrown(err.JSThrown)}
	}
	return result
}
