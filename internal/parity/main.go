// Command parity shows which of upstream's tests hold here: it reads the list of upstream's tests and
// the output of `go test -json`, and writes the table hyperlight/parity/PARITY.md, or checks that the
// committed one is what the tests say.
//
// It fails when a test of the list has neither a passing Go test nor a reason, and when upstream has a
// test that the list lacks.
//
// With -record it only shows the output as a person wants to see it and keeps it in a file, for later:
// the tests run in several parts.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	list := flag.String("list", "hyperlight/parity/upstream.tsv", "the list of upstream's tests")
	table := flag.String("table", "hyperlight/parity/PARITY.md", "the table")
	write := flag.Bool("write", false, "write the table; without it, compare")
	record := flag.String("record", "", "keep the input in this file, and do nothing else")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "go test -json ./hyperlight/... | parity [FLAGS] CRATE_FOLDER...")
		flag.PrintDefaults()
	}
	flag.Parse()
	var err error
	if *record != "" {
		err = keep(os.Stdin, os.Stdout, *record)
	} else {
		err = run(os.Stdin, os.Stdout, *list, *table, *write, flag.Args())
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(1)
	}
}

// keep copies the events into a file. A failure of theirs is a failure.
func keep(events io.Reader, log io.Writer, file string) error {
	copied, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = readResults(io.TeeReader(events, copied), log)
	return errors.Join(err, copied.Close())
}

func run(events io.Reader, log io.Writer, listFile, tableFile string, write bool, crates []string) error {
	results, err := readResults(events, log)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(listFile)
	if err != nil {
		return err
	}
	tests, err := parseList(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", listFile, err)
	}
	problems := check(tests, results)
	for _, crate := range crates {
		missing, err := missingFromList(tests, crate)
		if err != nil {
			return err
		}
		problems = append(problems, missing...)
	}
	wanted := render(tests, results)
	if write {
		problems = append(problems, os.WriteFile(tableFile, []byte(wanted), 0o644))
	} else if have, err := os.ReadFile(tableFile); err != nil || string(have) != wanted {
		problems = append(problems, fmt.Errorf("%s is not what the tests say; write it again with `./build.sh parity`", tableFile))
	}
	return errors.Join(problems...)
}
