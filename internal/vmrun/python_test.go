package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func findPython(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Fatalf("%v: install python3, or use ./build.sh test, which does", err)
	}
	return path
}

func TestAskPython(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"python2", "python3-config", "python.sh", "sh", "mypython3"} {
		if got, err := askPython(filepath.Join(folder, name)); got != nil || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"python", "python3", "python3.12"} {
		for _, script := range []string{"exit 1", "echo no answer"} {
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			if got, err := askPython(path); got != nil || err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s, %s: %v, %v", name, script, got, err)
			}
		}
	}
	got, err := askPython(findPython(t))
	if err != nil {
		t.Fatal(err)
	}
	if !isELF(got.Executable) || len(got.Library) == 0 {
		t.Errorf("%+v", got)
	}
	for _, library := range got.Library {
		if info, err := os.Stat(library); err != nil || !info.IsDir() {
			t.Errorf("%s is no folder: %v", library, err)
		}
	}
}

// A module written in C, one that needs a library beside C's, and a local one.
func TestPythonFindsItsLibrary(t *testing.T) {
	r := newRun(t, "nothing", nil)
	r.Args = []string{"vmrun", "python3", "program.py", "an argument"}
	r.Path = vmrunPath
	findPython(t)
	write(t, r.Dir+"/local.py", "text = 'local'")
	write(t, r.Dir+"/program.py", "import ctypes, json, os, sys, local\n"+
		"print(json.dumps([sys.argv, local.text, ctypes.CDLL(None).getpid() == os.getpid()]))\nsys.exit(7)")
	if code := r.exitCode(t); code != 7 {
		t.Fatalf("exit code %d, want 7; stderr:\n%s", code, &r.stderr)
	}
	if got, want := r.stdout.String(), `[["program.py", "an argument"], "local", true]`+"\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got := r.stderr.String(); got != "" {
		t.Errorf("stderr %q", got)
	}
}
