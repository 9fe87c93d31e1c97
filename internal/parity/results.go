package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is a line of `go test -json`.
type event struct{ Action, Package, Test, Output string }

// results says how each test ended: "pass", "fail" or "skip". Names are those of `go test`.
type results map[string]string

// readResults reads `go test -json`, and shows what a person would want to see of it: the output of
// tests that failed, and one line for each package.
func readResults(from io.Reader, log io.Writer) (results, error) {
	found := results{}
	output := map[string]*strings.Builder{} // by test, until it has ended
	failed := false
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			_, _ = fmt.Fprintln(log, lines.Text()) // a build's error
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			if output[key] == nil {
				output[key] = &strings.Builder{}
			}
			output[key].WriteString(e.Output)
		case "pass", "fail", "skip":
			if e.Test != "" {
				found[e.Test] = e.Action
			}
			failed = failed || e.Action == "fail"
			if text := output[key]; text != nil && (e.Action == "fail" || e.Test == "") {
				_, _ = io.WriteString(log, text.String())
			}
			delete(output, key)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	switch {
	case failed:
		return nil, errors.New("tests failed")
	case len(found) == 0:
		return nil, errors.New("no test ran")
	}
	return found, nil
}
