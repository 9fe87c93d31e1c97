package main

import (
	"os"
	"path/filepath"
	"strings"
)

// testOutputs finds the files and directories that a test binary writes, from
// its flags, which go test passes as -test.name=value.
//
// The log of what a test reads (-test.testlogfile) does not come back, so the
// go command caches no result from the machine: it cannot see the native
// library and the kernel, which decide it too.
func testOutputs(args []string) []string {
	dir := ""
	var paths []string
	for name, value := range testFlags(args) {
		switch name {
		case "outputdir":
			dir = value
		case "coverprofile", "cpuprofile", "memprofile", "blockprofile", "mutexprofile", "trace", "gocoverdir":
			paths = append(paths, value)
		}
	}
	for i, path := range paths {
		if !filepath.IsAbs(path) {
			paths[i] = filepath.Join(dir, path)
		}
	}
	if fuzz, cache := fuzzDirs(args); fuzz != "" {
		paths = append(paths, fuzz, cache)
	}
	return paths
}

// fuzzDirs returns where a fuzzing test binary puts the inputs that fail, and
// those that it goes on with the next time; nothing if it does not fuzz.
func fuzzDirs(args []string) (failing, cache string) {
	flags := testFlags(args)
	if flags["fuzz"] == "" || flags["fuzzcachedir"] == "" {
		return "", ""
	}
	return filepath.Join("testdata", "fuzz"), flags["fuzzcachedir"]
}

// testFlags reads a test binary's flags with values, without "-test.".
func testFlags(args []string) map[string]string {
	flags := make(map[string]string)
	for _, arg := range args {
		if name, ok := strings.CutPrefix(arg, "-test."); ok {
			if name, value, ok := strings.Cut(name, "="); ok && value != "" {
				flags[name] = value
			}
		}
	}
	return flags
}

// namedInArgs returns the regular files that arguments name: alone, or as in
// -flag=path, name=path, -flag=name=path or @path.
func namedInArgs(args []string) []string {
	var files []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			_, arg, _ = strings.Cut(arg, "=")
		}
		_, value, _ := strings.Cut(arg, "=")
		for _, path := range []string{arg, strings.TrimPrefix(arg, "@"), value} {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				files = append(files, path)
				break
			}
		}
	}
	return files
}
