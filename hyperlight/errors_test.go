package hyperlight

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

func TestEveryCodeMatchesItsSentinels(t *testing.T) {
	for code, sentinels := range map[capi.Code][]error{
		capi.CodeInvalidArgument:    {ErrInvalidArgument},
		capi.CodeConsumed:           {ErrConsumed},
		capi.CodeUnsupported:        {ErrUnsupported, errors.ErrUnsupported},
		capi.CodeNoHypervisor:       {ErrNoHypervisor},
		capi.CodeHypervisorUnusable: {ErrHypervisorUnusable},
		capi.CodeMemoryTooBig:       {ErrMemorySize, ErrInvalidArgument},
		capi.CodeMemoryTooSmall:     {ErrMemorySize, ErrInvalidArgument},
		capi.CodeHostResources:      {ErrHostResources},
		capi.CodeInternal:           {ErrInternal},
		capi.CodePanic:              {ErrInternal},
		capi.CodeBusy:               {ErrInternal},
		capi.CodeHandlerExists:      {ErrHandlerExists},
		capi.CodeHandlerNotFound:    {ErrHandlerNotFound},
		capi.CodeNoHandlers:         {ErrNoHandlers},
		capi.CodeBufferTooSmall:     {ErrBufferTooSmall},
		capi.CodeInvalidJSON:        {ErrInvalidJSON},
		capi.CodeModuleExists:       {ErrModuleExists},
		capi.CodeModuleNotFound:     {ErrModuleNotFound},
		capi.CodeJSException:        {ErrJSException, ErrGuest},
		capi.CodeNoValue:            {ErrNoValue, ErrGuest},
		capi.CodeGuestError:         {ErrGuest},
		capi.CodeCancelled:          {ErrCancelled},
		capi.CodeGuestAborted:       {ErrGuestAborted},
		capi.CodeOutOfMemory:        {ErrOutOfMemory, ErrGuestAborted},
		capi.CodeAccessViolation:    {ErrAccessViolation},
		capi.CodeVMFailure:          {ErrVMFailure},
		capi.CodePoisoned:           {ErrPoisoned},
		capi.CodeUnrecoverable:      {ErrUnrecoverable},
		capi.CodeOutputTooBig:       {ErrOutputTooBig, ErrGuestAborted},

		capi.CodeSnapshotMismatch:     {ErrSnapshotMismatch},
		capi.CodeSnapshotIncompatible: {ErrSnapshotIncompatible},
		capi.CodeSnapshotNotFound:     {ErrSnapshotNotFound},
		capi.CodeSnapshotCorrupt:      {ErrSnapshotCorrupt},
		capi.CodeSnapshotIO:           {ErrSnapshotIO},
		capi.CodeMonitorFailedToStart: {ErrMonitorFailedToStart},
		capi.CodeTooManyTriggers:      {ErrTooManyTriggers},
		capi.CodeTelemetryTooLate:     {ErrTelemetryTooLate},
		capi.CodeMetricsDisabled:      {ErrMetricsDisabled},
		capi.CodeLogsRunning:          {ErrLogsRunning},
	} {
		err := nativeError("Op", &capi.Error{Code: code, Message: "upstream's words", GuestCode: 13})
		for _, sentinel := range sentinels {
			assert.ErrorIs(t, err, sentinel)
		}
		assert.NotErrorIs(t, err, ErrClosed)
		assert.Contains(t, err.Error(), "hyperlight: Op: upstream's words")
		assert.EqualValues(t, code, err.(*Error).Code)
		assert.EqualValues(t, 13, err.(*Error).GuestCode)
	}
}

// What is used after its end is closed, whatever it is.
func TestStoppedLogsAreClosed(t *testing.T) {
	require.ErrorIs(t, nativeError("Op", &capi.Error{Code: capi.CodeLogsStopped}), ErrClosed)
}

// Each code has a row, or errors of that code would match nothing.
func TestNoCodeIsForgotten(t *testing.T) {
	own := []Code{
		CodeClosed, CodeLibraryNotFound, CodeABIMismatch, CodeLibraryLoaded,
		CodeHostFunctionPanicked, CodeReentrant, CodeEventEncoding, CodeResultDecoding,
		CodePoolFull, CodeTemplatePanicked,
	}
	for _, code := range own {
		assert.Contains(t, kinds, code)
	}
	for _, code := range capi.Codes {
		assert.Contains(t, kinds, Code(code))
	}
	assert.Len(t, kinds, len(own)+len(capi.Codes))
}

func TestNoErrorStaysNil(t *testing.T) {
	require.NoError(t, nativeError("Op", nil))
}

// Package capi tests that such libraries fail to load; here is what users see of it.
func TestLibraryErrors(t *testing.T) {
	tried := []capi.Attempt{{Place: "next to the executable, /x.so", Err: errors.New("it has ABI version 999, but this program needs 1")}}
	const list = "no usable libhyperlight_js_capi.so was found; tried:\n" +
		"  next to the executable, /x.so: it has ABI version 999, but this program needs 1"
	for _, test := range []struct {
		err      error
		sentinel error
		text     string
	}{
		{&capi.LoadFailure{Tried: tried, ABIMismatch: true}, ErrABIMismatch, "hyperlight: New: " + list + " (build library and program from the same version)"},
		{&capi.LoadFailure{Tried: tried}, ErrLibraryNotFound, "hyperlight: New: " + list + " (run ./build.sh, or set HYPERLIGHT_JS_LIBRARY)"},
		{fmt.Errorf("%w: unsupported platform x/y", errors.ErrUnsupported), ErrUnsupported, "hyperlight: New: unsupported operation: unsupported platform x/y"},
	} {
		err := libraryError("New", test.err)
		require.ErrorIs(t, err, test.sentinel)
		require.ErrorIs(t, err, test.err)
		assert.EqualError(t, err, test.text)
	}
	require.NoError(t, libraryError("New", nil))
}

func TestErrorFormats(t *testing.T) {
	err := nativeError("HandleEvent", &capi.Error{
		Code: capi.CodeJSException, Message: "text", JSMessage: "m", JSStack: "    at handler (./h.js:1:2)\n",
	})
	assert.Equal(t, "hyperlight: HandleEvent: text", err.Error())
	assert.Equal(t, "hyperlight: HandleEvent: text", fmt.Sprintf("%v", err))
	assert.Equal(t, "hyperlight: HandleEvent: text", fmt.Sprint(err))
	assert.Equal(t, `"hyperlight: HandleEvent: text"`, fmt.Sprintf("%q", err))
	assert.Equal(t, "hyperlight: HandleEvent: text\n    at handler (./h.js:1:2)\n", fmt.Sprintf("%+v", err))
	plain := nativeError("Load", &capi.Error{Code: capi.CodeNoHandlers, Message: "none"})
	assert.Equal(t, "hyperlight: Load: none (call AddHandler first)", fmt.Sprintf("%+v", plain))
}

func TestContextErrorMatchesTheContext(t *testing.T) {
	reason := errors.New("reason")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	late, cancelLate := context.WithTimeout(t.Context(), 0)
	defer cancelLate()
	for _, test := range []struct {
		ctx     context.Context
		matches []error
		text    string
	}{
		{cancelled, []error{context.Canceled, reason}, "context canceled: reason"},
		{late, []error{context.DeadlineExceeded}, "context deadline exceeded"},
	} {
		err := contextError("HandleEvent", test.ctx)
		for _, match := range test.matches {
			assert.ErrorIs(t, err, match)
		}
		assert.NotErrorIs(t, err, ErrCancelled, "the guest was not stopped: it never ran")
		assert.EqualError(t, err, "hyperlight: HandleEvent: the guest did not run: "+test.text)
	}
}

func TestStatusWords(t *testing.T) {
	for status, word := range map[Status]string{
		StatusReady: "ready", StatusPoisoned: "poisoned", StatusUnrecoverable: "unrecoverable",
		StatusConsumed: "consumed", StatusClosed: "closed", 99: "Status(99)",
	} {
		assert.Equal(t, word, status.String())
		assert.Equal(t, status == StatusReady, status.IsReady())
		assert.Equal(t, status == StatusPoisoned, status.IsPoisoned())
		assert.Equal(t, status == StatusUnrecoverable, status.IsUnrecoverable())
	}
	// handle stores the native status as it is.
	assert.EqualValues(t, capi.StatusReady, StatusReady)
	assert.EqualValues(t, capi.StatusPoisoned, StatusPoisoned)
	assert.EqualValues(t, capi.StatusUnrecoverable, StatusUnrecoverable)
	assert.EqualValues(t, capi.StatusConsumed, StatusConsumed)
}
