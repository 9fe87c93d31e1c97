package capi

// ABIVersion is HLJS_ABI_VERSION of the header that this package binds.
const ABIVersion = 1

// Code is hljs_code.
type Code uint32

// The values of hljs_code, in the order of the header, where each is explained.
const (
	CodeOK                 Code = 0
	CodeInvalidArgument    Code = 1
	CodeConsumed           Code = 2
	CodeBusy               Code = 3
	CodeUnsupported        Code = 4
	CodePanic              Code = 5
	CodeInternal           Code = 6
	CodeNoHypervisor       Code = 20
	CodeHypervisorUnusable Code = 21
	CodeMemoryTooBig       Code = 22
	CodeMemoryTooSmall     Code = 23
	CodeHostResources      Code = 24
	CodeHandlerExists      Code = 40
	CodeHandlerNotFound    Code = 41
	CodeNoHandlers         Code = 42
	CodeBufferTooSmall     Code = 43
	CodeInvalidJSON        Code = 44
	CodeModuleExists       Code = 45
	CodeModuleNotFound     Code = 46
	CodeJSException        Code = 60
	CodeNoValue            Code = 61
	CodeGuestError         Code = 62
	CodeCancelled          Code = 80
	CodeGuestAborted       Code = 81
	CodeOutOfMemory        Code = 82
	CodeAccessViolation    Code = 83
	CodeVMFailure          Code = 84
	CodePoisoned           Code = 85
	CodeUnrecoverable      Code = 86
	CodeOutputTooBig       Code = 87

	CodeSnapshotMismatch     Code = 110
	CodeSnapshotIncompatible Code = 111
	CodeSnapshotNotFound     Code = 112
	CodeSnapshotCorrupt      Code = 113
	CodeSnapshotIO           Code = 114

	CodeMonitorFailedToStart Code = 120
	CodeTooManyTriggers      Code = 121
	CodeContextCancelled     Code = 122

	CodeTelemetryTooLate Code = 130
	CodeMetricsDisabled  Code = 131
	CodeLogsRunning      Code = 132
	CodeLogsStopped      Code = 133
)

// Codes are all codes of failures.
var Codes = []Code{
	CodeInvalidArgument,
	CodeConsumed,
	CodeBusy,
	CodeUnsupported,
	CodePanic,
	CodeInternal,
	CodeNoHypervisor,
	CodeHypervisorUnusable,
	CodeMemoryTooBig,
	CodeMemoryTooSmall,
	CodeHostResources,
	CodeHandlerExists,
	CodeHandlerNotFound,
	CodeNoHandlers,
	CodeBufferTooSmall,
	CodeInvalidJSON,
	CodeModuleExists,
	CodeModuleNotFound,
	CodeJSException,
	CodeNoValue,
	CodeGuestError,
	CodeCancelled,
	CodeGuestAborted,
	CodeOutOfMemory,
	CodeAccessViolation,
	CodeVMFailure,
	CodePoisoned,
	CodeUnrecoverable,
	CodeOutputTooBig,
	CodeSnapshotMismatch,
	CodeSnapshotIncompatible,
	CodeSnapshotNotFound,
	CodeSnapshotCorrupt,
	CodeSnapshotIO,
	CodeMonitorFailedToStart,
	CodeTooManyTriggers,
	CodeContextCancelled,
	CodeTelemetryTooLate,
	CodeMetricsDisabled,
	CodeLogsRunning,
	CodeLogsStopped,
}

// Status is hljs_status.
type Status uint32

// The values of hljs_status.
const (
	StatusReady         Status = 0
	StatusPoisoned      Status = 1
	StatusUnrecoverable Status = 2
	StatusConsumed      Status = 3
)

// FileKind is hljs_file_kind.
type FileKind uint32

// The values of hljs_file_kind.
const (
	FileKindNothing FileKind = 0
	FileKindFile    FileKind = 1
	FileKindFolder  FileKind = 2
)

// LogLevel is hljs_log_level, which the functions take as a number.
type LogLevel uint32

// The values of hljs_log_level.
const (
	LogLevelOff   LogLevel = 0
	LogLevelError LogLevel = 1
	LogLevelWarn  LogLevel = 2
	LogLevelInfo  LogLevel = 3
	LogLevelDebug LogLevel = 4
	LogLevelTrace LogLevel = 5
)

// Error is the contents of an hljs_error, copied.
type Error struct {
	Code      Code
	Message   string
	JSMessage string
	JSStack   string
	GuestCode uint32
	Monitor   string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }
