package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// job is what a message of the stream of jobs holds, as JSON. Its id is the last part of the message's subject, so
// that what is no JSON has an id, too.
type job struct {
	// Script is an ES module with a function handler.
	Script string `json:"script"`
	// Event is what the handler is called with; {} if there is none.
	Event json.RawMessage `json:"event,omitempty"`
	// Limits are the job's own. They can lower those of the workers, and not raise them.
	Limits limits `json:"limits,omitzero"`
}

// limits bound one attempt at a job. Zero means no limit of its own.
type limits struct {
	Time duration `json:"time,omitzero"` // on the clock
	CPU  duration `json:"cpu,omitzero"`  // of the processor
}

// within gives the stricter of both, for each limit.
func (l limits) within(bounds limits) limits {
	return limits{Time: stricter(l.Time, bounds.Time), CPU: stricter(l.CPU, bounds.CPU)}
}

func stricter(own, bound duration) duration {
	if own == 0 || bound > 0 && bound < own {
		return bound
	}
	return own
}

// duration is written like 1m30s in JSON.
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed <= 0 {
		return fmt.Errorf("the limit %q is no time above zero; write one like 1m30s", text)
	}
	*d = duration(parsed)
	return nil
}

// readJob takes a message apart. What fails here fails at each attempt.
func readJob(message []byte) (job, error) {
	decoder := json.NewDecoder(bytes.NewReader(message))
	decoder.DisallowUnknownFields() // A misspelt limit would be none.
	var j job
	if err := decoder.Decode(&j); err != nil {
		return job{}, fmt.Errorf("this is no job: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return job{}, errors.New("this is no job: there is something behind its JSON")
	}
	if j.Script == "" {
		return job{}, errors.New("this is no job: it has no script")
	}
	if len(j.Event) == 0 {
		j.Event = json.RawMessage("{}")
	}
	return j, nil
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// checkID refuses what would be no part of a subject.
func checkID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("the id %q is not made of 1 to 128 letters, digits, - and _", id)
	}
	return nil
}

// answer is what became of a job: a result, or why there is none.
type answer struct {
	ID       string          `json:"id"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    string          `json:"error,omitempty"`
	Attempts int             `json:"attempts"` // this one included
	Worker   string          `json:"worker"`
}

func (a answer) failed() bool { return a.Error != "" }

// encode is the answer's JSON. The result stays as it is: escaped for HTML it could be six times as long.
func (a answer) encode() ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(a); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buffer.Bytes(), "\n"), nil
}
