package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// python is what a Python interpreter needs besides the libraries that it links.
type python struct {
	Executable string   // the real one: what was named may be a script that picks a version, or of a venv
	Library    []string // the folders of its standard library
}

var pythonName = regexp.MustCompile(`^python(3(\.\d+)?)?$`)

// askPython asks the program at path where its standard library is, if it is a Python interpreter by its name.
// Otherwise it returns nil.
func askPython(path string) (*python, error) {
	if !pythonName.MatchString(filepath.Base(path)) {
		return nil, nil
	}
	const question = `import json, os, sys, sysconfig
folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
print(json.dumps({"Executable": os.path.realpath(sys.executable), "Library": sorted(folders)}))`
	answer, err := exec.Command(path, "-I", "-c", question).Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s where its standard library is: %w", path, err)
	}
	p := &python{}
	if err := json.Unmarshal(answer, p); err != nil {
		return nil, fmt.Errorf("ask %s where its standard library is: %w", path, err)
	}
	return p, nil
}

// pythonUnneeded are the folders in a standard library that most of its size is in: installed packages, tests,
// what builds C, and graphical programs.
var pythonUnneeded = []string{"site-packages", "dist-packages", "test", "tests", "idlelib", "turtledemo", "ensurepip"}

// python adds a standard library. A module of it may need a library that is not installed, as that of tkinter.
func (p *packer) python(folder string) error {
	return filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(pythonUnneeded, d.Name()) {
			return filepath.SkipDir
		}
		if config, _ := filepath.Match("config-*", d.Name()); config && d.IsDir() {
			return filepath.SkipDir
		}
		err = p.entry(path, path, d)
		var missing *missingLibraryError
		if errors.As(err, &missing) {
			return nil
		}
		return err
	})
}
