package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// upstreamTest is a line of the list: an upstream test and the Go test that stands for it, or the reason
// why none does.
type upstreamTest struct {
	file   string // like "hyperlight-js/tests/handlers.rs"
	name   string
	goTest string // like "TestHandlers/handle_event", or empty
	reason string // why there is no Go test; with one, what is different in it
}

// parseList reads tab-separated lines: file, test, Go test or "-", and optionally a remark. Lines that
// begin with # are comments.
func parseList(text string) ([]upstreamTest, error) {
	var tests []upstreamTest
	seen := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) < 3 || len(fields) > 4 {
			return nil, fmt.Errorf("line %d has %d fields, not 3 or 4", i+1, len(fields))
		}
		test := upstreamTest{file: fields[0], name: fields[1], goTest: fields[2]}
		if len(fields) == 4 {
			test.reason = fields[3]
		}
		if test.goTest == "-" {
			test.goTest = ""
		}
		if test.goTest == "" && test.reason == "" {
			return nil, fmt.Errorf("line %d: %s has neither a Go test nor a reason", i+1, test.name)
		}
		if seen[test.file+" "+test.name] {
			return nil, fmt.Errorf("line %d: %s is there twice", i+1, test.name)
		}
		seen[test.file+" "+test.name] = true
		tests = append(tests, test)
	}
	return tests, nil
}

// check finds the tests of the list that did not pass.
func check(tests []upstreamTest, found results) []error {
	var problems []error
	for _, test := range tests {
		if test.goTest != "" && found[test.goTest] != "pass" {
			problems = append(problems, fmt.Errorf("%s of %s: %s %s", test.name, test.file, test.goTest, result(test, found)))
		}
	}
	return problems
}

func result(test upstreamTest, found results) string {
	switch {
	case test.goTest == "":
		return "cannot apply"
	case found[test.goTest] == "":
		return "did not run"
	default:
		return found[test.goTest]
	}
}

var (
	testAttribute = regexp.MustCompile(`(?m)^\s*#\[test\]\s*$`)
	function      = regexp.MustCompile(`fn\s+(\w+)\s*\(`)
	version       = regexp.MustCompile(`-\d+\.\d+\.\d+.*$`)
)

// missingFromList looks through the source of a crate for tests that the list lacks.
func missingFromList(tests []upstreamTest, crate string) ([]error, error) {
	listed := map[string]bool{}
	for _, test := range tests {
		listed[test.file+" "+test.name] = true
	}
	name := version.ReplaceAllString(filepath.Base(crate), "")
	var problems []error
	err := filepath.WalkDir(crate, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".rs" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(crate, path)
		if err != nil {
			return err
		}
		file := name + "/" + filepath.ToSlash(relative)
		for _, at := range testAttribute.FindAllIndex(source, -1) {
			if match := function.FindSubmatch(source[at[1]:]); match != nil && !listed[file+" "+string(match[1])] {
				problems = append(problems, fmt.Errorf("the list lacks %s of %s", match[1], file))
			}
		}
		return nil
	})
	return problems, err
}
