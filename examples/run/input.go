package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// inputs are what a sandbox is loaded with.
type inputs struct {
	script  hyperlight.JSScript
	modules []module
	files   fs.FS     // to import from, or nil
	print   io.Writer // takes what the guest prints
}

// module is a script that others import as user:name.
type module struct{ name, file, script string }

// readInputs reads the files that the command line names.
func (c *command) readInputs() (*inputs, error) {
	script, err := readScript(c.file)
	if err != nil {
		return nil, err
	}
	in := &inputs{script: hyperlight.Script(script)}
	for _, m := range c.modules {
		script, err := readScript(m.file)
		if err != nil {
			return nil, err
		}
		in.modules = append(in.modules, module{m.name, m.file, script})
	}
	if c.fs == "" {
		return in, nil
	}
	// Not os.DirFS, whose symbolic links lead to anywhere.
	root, err := os.OpenRoot(c.fs)
	if err != nil {
		return nil, withoutOperation(c.fs, err)
	}
	in.files = root.FS()
	in.script = in.script.WithVirtualBase(baseIn(c.fs, c.file))
	return in, nil
}

// baseIn is the folder of file, as its imports see it: below the root that --fs names, if it is in there.
func baseIn(root, file string) string {
	root, err := filepath.Abs(root)
	if err != nil {
		return ""
	}
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return ""
	}
	base, err := filepath.Rel(root, folder)
	if err != nil || base == "." || !filepath.IsLocal(base) {
		return ""
	}
	return "/" + filepath.ToSlash(base)
}

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
	return nil, withoutOperation(path, err)
}

// withoutOperation is an error that names the path, and not what was done with it.
func withoutOperation(path string, err error) error {
	if failure := (*fs.PathError)(nil); errors.As(err, &failure) {
		err = failure.Err
	}
	return &inputError{source: path, cause: err}
}
