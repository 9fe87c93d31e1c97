package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"reflect"
)

// What a page may send. A source and an event have to fit into the guest's input buffer, which bufferBytes is; JSON
// may need up to six bytes for one of them.
const (
	sourceBytes = 128 << 10
	eventBytes  = 128 << 10
	bodyBytes   = 6*(sourceBytes+eventBytes) + 1<<10
)

// readTask reads what a page sent.
func readTask(w http.ResponseWriter, r *http.Request, most maxima) (task, error) {
	t := task{Limits: most.defaults()}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return t, refusal{http.StatusUnsupportedMediaType, "the body has to be JSON: Content-Type: application/json", 0}
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t); err != nil {
		return t, refuseBody(err)
	}
	// To the end of the body: the server notices only then that a visitor goes.
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return t, refuseBody(errors.New("something follows it"))
	}
	switch {
	case len(t.Source) > sourceBytes:
		return t, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the code has %d bytes, and may have %d", len(t.Source), sourceBytes), 0}
	case len(t.Event) > eventBytes:
		return t, refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the event has %d bytes, and may have %d", len(t.Event), eventBytes), 0}
	}
	if err := most.check(t.Limits); err != nil {
		return t, refusal{http.StatusBadRequest, err.Error(), 0}
	}
	return t, nil
}

// refuseBody words what is wrong with a body that could not be read.
func refuseBody(err error) refusal {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request has more than %d bytes", tooLarge.Limit), 0}
	}
	var network net.Error
	if errors.As(err, &network) {
		return refusal{http.StatusRequestTimeout, "the request came too slowly", 1} // the error has addresses of the host
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		err = fmt.Errorf("%s is no %s, but %s", cmp.Or(wrongType.Field, "it"), jsonName[wrongType.Type.Kind()], wrongType.Value)
	}
	return refusal{http.StatusBadRequest, `the body has to be {"source": "...", "event": "...", "limits": {...}}: ` + err.Error(), 0}
}

// jsonName is what people who write JavaScript call the types of a task.
var jsonName = map[reflect.Kind]string{reflect.String: "string", reflect.Int: "whole number", reflect.Struct: "object"}
