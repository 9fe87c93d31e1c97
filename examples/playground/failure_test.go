package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// What the host has to say of itself is for its log.
func TestFailureOfTheHost(t *testing.T) {
	const secret = "/srv/playground/library.so"
	for name, err := range map[string]error{
		"file":      &fs.PathError{Op: "open", Path: secret, Err: fs.ErrNotExist},
		"unknown":   fmt.Errorf("something at %s", secret),
		"library's": &hyperlight.Error{Op: "LoadRuntime", Code: hyperlight.CodeHostResources, Message: "mmap " + secret},
	} {
		t.Run(name, func(t *testing.T) {
			f := failureOf(err, limits{})
			assert.Equal(t, "host", f.Kind)
			assert.True(t, isHostFailure(f))
			assert.NotContains(t, fmt.Sprintf("%+v", f), "srv")

			s := newServer(defaultSettings(), slog.New(slog.DiscardHandler))
			answer := httptest.NewRecorder()
			s.answering(func(http.ResponseWriter, *http.Request) error { return err }).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
			assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
			assert.NotContains(t, answer.Body.String(), "srv")
		})
	}
}

func TestFailureOfAnEnd(t *testing.T) {
	for title, err := range map[string]error{
		"Stopped by you":                                     errStopped,
		"Stopped: the playground shuts down":                 fmt.Errorf("cancelled: %w", errShutdown),
		"Stopped after 7 ms: the top-level code did not end": errLoadTime,
		"Stopped": context.Canceled,
	} {
		f := failureOf(err, limits{WallClock: 7})
		assert.Equal(t, "stopped", f.Kind)
		assert.Equal(t, title, f.Title)
	}
	assert.Equal(t, &failure{Kind: "input", Title: "Too many others run code at the moment: try again"},
		failureOf(errors.Join(refuseTurns), limits{}))
}
