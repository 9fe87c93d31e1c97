package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
)

// What a page may send. A source and an event have to fit into the guest's input buffer, which bufferBytes is; JSON
// may need up to six bytes for one of them.
const (
	sourceBytes = 128 << 10
	eventBytes  = 128 << 10
	bodyBytes   = 6*(sourceBytes+eventBytes) + 1<<10
)

// readTask reads what a page sent.
func readTask(w http.ResponseWriter, r *http.Request) (task, error) {
	t := task{Limits: defaultLimits()}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return t, refusal{http.StatusUnsupportedMediaType, "the body has to be JSON: Content-Type: application/json", 0}
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytes))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&t)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return t, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request has more than %d bytes", tooLarge.Limit), 0}
	case err != nil:
		return t, refusal{http.StatusBadRequest, "the request is not what was expected, {source, event, limits}: " + err.Error(), 0}
	case len(t.Source) > sourceBytes:
		return t, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the code has %d bytes, and may have %d", len(t.Source), sourceBytes), 0}
	case len(t.Event) > eventBytes:
		return t, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the event has %d bytes, and may have %d", len(t.Event), eventBytes), 0}
	}
	if err := t.Limits.check(); err != nil {
		return t, refusal{http.StatusBadRequest, err.Error(), 0}
	}
	return t, nil
}
