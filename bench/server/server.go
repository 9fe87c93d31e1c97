package main

import (
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// serve starts a server on a port of the loopback interface. A POST's body is an event.
func serve(strategy strategy) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, workload.BufferBytes))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result, err := strategy.handle(r.Context(), event)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(result) // A client that left has no use for the error.
	}))
}
