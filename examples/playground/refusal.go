package main

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refusal is why the playground does not do what a page asks for.
type refusal struct {
	status int
	text   string
	retry  int // after that many seconds; 0: do not
}

func (r refusal) Error() string { return r.text }

// What is refused although the request is well formed.
var (
	refuseBusy        = refusal{http.StatusConflict, "this session is busy: stop what runs, or wait for it", 1}
	refuseFull        = refusal{http.StatusServiceUnavailable, "all sandboxes are taken: try again in a minute", 60}
	refuseAddressFull = refusal{http.StatusTooManyRequests, "your address has all the sandboxes that it may have: close another tab's, or try again in some minutes", 60}
	refuseTurns       = refusal{http.StatusServiceUnavailable, "too many others run code at the moment: try again", 5}
	refuseRate        = refusal{http.StatusTooManyRequests, "that was a lot of requests: try again in some seconds", 5}
	refuseShutdown    = refusal{http.StatusServiceUnavailable, "the playground shuts down: try again in a minute", 60}
	refuseOrigin      = refusal{http.StatusForbidden, "a page of another site sent this: open the playground itself", 0}
	refuseEnded       = refusal{http.StatusServiceUnavailable, "the request has ended before its turn came", 1}
	refuseSession     = refusal{http.StatusGone, "there is no such session any more: run your code again", 0}
)

// refuse answers with an error instead.
func refuse(w http.ResponseWriter, r refusal) {
	if r.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.retry))
	}
	writeJSON(w, r.status, map[string]string{"error": r.text})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // The visitor has gone.
}
