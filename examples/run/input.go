package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// input is an event, and the name that messages call it by.
type input struct {
	name    string
	content []byte
}

// readEvent gives the event that an argument of the command line stands for.
func readEvent(argument string, stdin io.Reader) (input, error) {
	if argument == "-" {
		const name = "standard input"
		content, err := io.ReadAll(stdin)
		if err != nil {
			return input{}, &inputError{source: name, cause: err}
		}
		return input{name, content}, nil
	}
	if path, isFile := strings.CutPrefix(argument, "@"); isFile {
		content, err := readFile(path)
		return input{path, content}, err
	}
	return input{"EVENT", []byte(argument)}, nil
}

var byteOrderMark = []byte("\ufeff")

// readScript reads the script. An empty one gets an error of its own: the guest would only miss a handler.
func readScript(path string) (string, error) {
	script, err := readFile(path)
	if err != nil {
		return "", err
	}
	// Node.js drops the mark too. The guest takes it for white space, but upstream then overlooks an
	// "export" behind it, and exports the handler a second time.
	script = bytes.TrimPrefix(script, byteOrderMark)
	if len(bytes.TrimSpace(script)) == 0 {
		return "", &inputError{source: path, cause: errors.New("the file is empty")}
	}
	return string(script), nil
}

// readFile is os.ReadFile with an error that begins with the path.
func readFile(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err == nil {
		return content, nil
	}
	if failure := (*fs.PathError)(nil); errors.As(err, &failure) {
		err = failure.Err
	}
	return nil, &inputError{source: path, cause: err}
}
