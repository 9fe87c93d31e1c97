package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// failure is an answer: a status, and JSON that programs can read, by its code, and people.
type failure struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"`
}

func (f failure) Error() string { return f.Message }

// answer has handlers return errors.
func answer(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		problem := describe(err)
		if problem.status == http.StatusInternalServerError {
			slog.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		switch problem.status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			w.Header().Set("Retry-After", "1")
		}
		writeJSON(w, problem.status, map[string]failure{"error": problem})
	}
}

// describe says whose fault it was: the client's (4xx), the function's (502, 504), or ours (500, 503).
func describe(err error) failure {
	var known failure
	var tooBig *http.MaxBytesError
	var exception *hyperlight.JSException
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooBig), errors.Is(err, hyperlight.ErrBufferTooSmall):
		return failure{http.StatusRequestEntityTooLarge, "too_large", "the body is too large", ""}
	case errors.Is(err, hyperlight.ErrInvalidJSON):
		return failure{http.StatusBadRequest, "invalid_json", "the event is not JSON", ""}
	case errors.Is(err, errShutdown), errors.Is(err, hyperlight.ErrClosed):
		return failure{http.StatusServiceUnavailable, "shutting_down", errShutdown.Error(), ""}
	case errors.Is(err, hyperlight.ErrPoolFull):
		return failure{http.StatusServiceUnavailable, "overloaded", "too many events wait", ""}
	case errors.Is(err, context.Canceled):
		return failure{http.StatusBadRequest, "client_gone", "the request was given up", ""} // Nobody reads it.
	case errors.Is(err, hyperlight.ErrCancelled):
		return failure{http.StatusGatewayTimeout, "timeout", "the function took too long", ""}
	case errors.Is(err, context.DeadlineExceeded): // and it did not run
		return failure{http.StatusServiceUnavailable, "overloaded", "no sandbox was free in time", ""}
	case errors.Is(err, hyperlight.ErrOutOfMemory):
		return failure{http.StatusBadGateway, "out_of_memory", "the function ran out of memory", ""}
	case errors.Is(err, hyperlight.ErrOutputTooBig):
		return failure{http.StatusBadGateway, "result_too_large", "the function's result is too large", ""}
	case errors.As(err, &exception):
		return failure{http.StatusBadGateway, "exception", exception.Message, exception.Stack}
	case errors.Is(err, hyperlight.ErrGuest), errors.Is(err, hyperlight.ErrGuestAborted):
		return failure{http.StatusBadGateway, "function_failed", "the function failed", ""}
	}
	return failure{http.StatusInternalServerError, "internal", "something went wrong here", ""}
}

// loadFailure is for code that does not load: then what would be the function's fault is the client's.
func loadFailure(err error) error {
	failure := describe(err)
	switch failure.status {
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		failure.status = http.StatusUnprocessableEntity
		return failure
	}
	return err
}
