package soak_test

import (
	"context"
	"errors"
	"io/fs"
	"reflect"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What TestHostileCallers calls: everything. TestHostileCallersKnowEverything of package hyperlight reads this file and
// fails when something of the package is not named in it.

var everyFunction = map[string]any{
	"CPUTime": hyperlight.CPUTime, "Call": hyperlight.Call[string], "Call of nothing": hyperlight.Call[struct{}],
	"Call of what cannot be": hyperlight.Call[chan int], "EnableMetrics": hyperlight.EnableMetrics,
	"ForwardLogs": hyperlight.ForwardLogs, "IsHypervisorPresent": hyperlight.IsHypervisorPresent, "Library": hyperlight.Library,
	"LoadSnapshot": hyperlight.LoadSnapshot, "Metrics": hyperlight.Metrics, "New": hyperlight.New, "NewPool": hyperlight.NewPool,
	"NewTrigger": hyperlight.NewTrigger, "PoolPolicy": hyperlight.PoolPolicy, "PoolProgress": hyperlight.PoolProgress,
	"PoolQueue": hyperlight.PoolQueue, "PoolSize": hyperlight.PoolSize, "PoolTenants": hyperlight.PoolTenants,
	"Probe": hyperlight.Probe, "RawBytes": hyperlight.RawBytes, "RawJSON": hyperlight.RawJSON, "Run": hyperlight.Run,
	"Script": hyperlight.Script, "ScriptFS": hyperlight.ScriptFS, "ScriptFile": hyperlight.ScriptFile,
	"StopOnError": hyperlight.StopOnError, "TenantFromContext": hyperlight.TenantFromContext, "UseLibrary": hyperlight.UseLibrary,
	"UseLibraryFile": hyperlight.UseLibraryFile, "ValidateModuleName": hyperlight.ValidateModuleName,
	"WallClock": hyperlight.WallClock, "WithBatchMonitors": hyperlight.WithBatchMonitors, "WithCrashdump": hyperlight.WithCrashdump,
	"WithDebugging": hyperlight.WithDebugging, "WithGC": hyperlight.WithGC, "WithHeapSize": hyperlight.WithHeapSize,
	"WithInputBufferSize": hyperlight.WithInputBufferSize, "WithInterruptRetryDelay": hyperlight.WithInterruptRetryDelay,
	"WithInterruptSignalOffset": hyperlight.WithInterruptSignalOffset, "WithLogCapacity": hyperlight.WithLogCapacity,
	"WithLogLevel": hyperlight.WithLogLevel, "WithMonitors": hyperlight.WithMonitors,
	"WithOutputBufferSize": hyperlight.WithOutputBufferSize, "WithPrint": hyperlight.WithPrint,
	"WithPrintFunc": hyperlight.WithPrintFunc, "WithPrintLimit": hyperlight.WithPrintLimit,
	"WithScratchSize": hyperlight.WithScratchSize, "WithSpans": hyperlight.WithSpans, "WithStats": hyperlight.WithStats,
	"WithHostGoroutines": hyperlight.WithHostGoroutines,
	"WithTracerProvider": hyperlight.WithTracerProvider, "WithUpstreamDefaults": hyperlight.WithUpstreamDefaults,
	"WithoutVerification": hyperlight.WithoutVerification,
}

// everyType has the types with methods that are structs. Their methods are found by reflection, and called on nil, on a
// zero value, and on others.
var everyType = []reflect.Type{
	reflect.TypeFor[*hyperlight.ProtoJSSandbox](), reflect.TypeFor[*hyperlight.JSSandbox](), reflect.TypeFor[*hyperlight.LoadedJSSandbox](),
	reflect.TypeFor[*hyperlight.HostModule](), reflect.TypeFor[*hyperlight.Snapshot](), reflect.TypeFor[*hyperlight.InterruptHandle](),
	reflect.TypeFor[*hyperlight.Trigger](), reflect.TypeFor[*hyperlight.Pool](), reflect.TypeFor[*hyperlight.Lease](),
	reflect.TypeFor[*hyperlight.LogForwarder](), reflect.TypeFor[*hyperlight.Error](), reflect.TypeFor[*hyperlight.JSException](),
	reflect.TypeFor[*hyperlight.HostPanic](), reflect.TypeFor[*hyperlight.Config](), reflect.TypeFor[*hyperlight.EventResult](),
	reflect.TypeFor[*hyperlight.ExecutionStats](), reflect.TypeFor[*hyperlight.Frame](), reflect.TypeFor[*hyperlight.Histogram](),
	reflect.TypeFor[*hyperlight.Bucket](), reflect.TypeFor[*hyperlight.LibraryInfo](), reflect.TypeFor[*hyperlight.Metric](),
	reflect.TypeFor[*hyperlight.PoolStats](), reflect.TypeFor[*hyperlight.TenantLimits](),
}

// everyValue has the types whose methods are those of a value, with values that they may have.
var everyValue = []any{
	hyperlight.JSScript{}, hyperlight.Script("\x00\xff"), hyperlight.RawValue{}, hyperlight.RawValue{JSON: []byte("{"), Blobs: [][]byte{nil}},
	hyperlight.RawBytes(nil), hyperlight.Template{}, hyperlight.PrintOption{},
	hyperlight.Status(0), hyperlight.Status(77), hyperlight.Status(1<<32 - 1), hyperlight.RestorePolicy(-1), hyperlight.RestorePolicy(1 << 62),
	hyperlight.Code(0), hyperlight.Code(99999), hyperlight.MetricKind("\xff"), hyperlight.Thrown("\xff"),
}

// The other types are interfaces, most of which only the package can implement, and functions that callers write.
var _ struct {
	hyperlight.BatchOption
	hyperlight.CallOption
	hyperlight.Caller
	hyperlight.LoadOption
	hyperlight.LogOption
	hyperlight.Monitor
	hyperlight.Option
	hyperlight.PoolOption
	hyperlight.RawFunc
	hyperlight.RunOption
	hyperlight.TenantSource
}

// everySentinel is what errors match: one of these.
var everySentinel = []error{
	hyperlight.ErrInvalidArgument, hyperlight.ErrConsumed, hyperlight.ErrClosed, hyperlight.ErrUnsupported, hyperlight.ErrNoHypervisor,
	hyperlight.ErrHypervisorUnusable, hyperlight.ErrHostResources, hyperlight.ErrMemorySize, hyperlight.ErrHandlerExists,
	hyperlight.ErrHandlerNotFound, hyperlight.ErrNoHandlers, hyperlight.ErrBufferTooSmall, hyperlight.ErrInvalidJSON,
	hyperlight.ErrModuleExists, hyperlight.ErrModuleNotFound, hyperlight.ErrJSException, hyperlight.ErrNoValue, hyperlight.ErrGuest,
	hyperlight.ErrCancelled, hyperlight.ErrGuestAborted, hyperlight.ErrOutOfMemory, hyperlight.ErrOutputTooBig,
	hyperlight.ErrAccessViolation, hyperlight.ErrVMFailure, hyperlight.ErrPoisoned, hyperlight.ErrUnrecoverable,
	hyperlight.ErrSnapshotMismatch, hyperlight.ErrSnapshotIncompatible, hyperlight.ErrSnapshotNotFound, hyperlight.ErrSnapshotCorrupt,
	hyperlight.ErrSnapshotIO, hyperlight.ErrMonitorFailedToStart, hyperlight.ErrTooManyTriggers, hyperlight.ErrTelemetryTooLate,
	hyperlight.ErrMetricsDisabled, hyperlight.ErrLogsRunning, hyperlight.ErrHostFunctionPanicked, hyperlight.ErrReentrant,
	hyperlight.ErrEventEncoding, hyperlight.ErrResultDecoding, hyperlight.ErrPoolFull, hyperlight.ErrTemplatePanicked,
	hyperlight.ErrLibraryNotFound, hyperlight.ErrABIMismatch, hyperlight.ErrLibraryLoaded, hyperlight.ErrGoexit,
	context.Canceled, context.DeadlineExceeded, errHostile,
}

// neverSentinel are those that no caller brings about.
var neverSentinel = []error{hyperlight.ErrInternal}

// errHostile is what functions and file systems of hostile callers fail with, and panic with.
var errHostile = errors.Join(errors.New("hostile"), fs.ErrPermission)
